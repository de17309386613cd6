//! The policy that a team writes: environments, levels, unknowns, what is printed about it.
