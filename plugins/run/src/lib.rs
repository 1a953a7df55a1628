//! The command run: create and run a new container from an image.
