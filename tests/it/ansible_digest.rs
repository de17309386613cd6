//! What `runner-guard digest` makes of Ansible's output, in every form of it.
