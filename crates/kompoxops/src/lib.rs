//! The Kompox command line.
