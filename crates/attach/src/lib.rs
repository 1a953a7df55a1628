//! An interactive session with a container's streams.
