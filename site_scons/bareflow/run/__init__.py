"""`./bareflow run`: boots an image and puts the text that the model generates on standard output."""
