//! The side of the child: what it was given, and how it says what it does.
