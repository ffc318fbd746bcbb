"""Tasks from files of pictures: folders, the Hugging Face hub, archives."""
