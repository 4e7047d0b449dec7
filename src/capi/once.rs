//! What is started once, whoever wants it.
