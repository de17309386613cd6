//! The page `report.html`, a bundle that is read again, and what changed since the last one.
