//! What holds for the redactor as a whole, on arbitrary text.
