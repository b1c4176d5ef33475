"""Disk images: FAT16, the partition table, and the files that loader and guest keep in them."""
