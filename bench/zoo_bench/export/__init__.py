"""Trained models as others take them: weights in one file, ONNX, a folder for the Hugging Face Hub, a script."""
