//! For authors of provider drivers: bindings, HTTP, errors, tags.
