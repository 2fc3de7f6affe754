//! Pure decisions: validate, decide, build, status; and the driver port.
