//! Every source with every fault: the right status, the deadline kept, no other row touched.
