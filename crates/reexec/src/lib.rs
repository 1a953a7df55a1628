//! Initializers by name: a program starts itself again under another argv[0].
