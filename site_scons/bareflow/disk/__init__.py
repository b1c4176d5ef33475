"""Disk images: FAT16 and FAT32, the partition table, and the files that loader and guest keep in them."""
