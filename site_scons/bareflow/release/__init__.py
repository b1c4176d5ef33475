"""What `dist` puts beside an image: checksums, and the list of what it was made of."""
