"""The `picturelock` command. It speaks HTTP to the API, and can run the whole stack on one machine."""
