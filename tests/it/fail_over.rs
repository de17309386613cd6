//! A primary that degrades under real load, the fail-over to the secondary, and the way back.
