//! The command line by running the real binary: contracts, faults, and readers that go away. No database.

#[cfg(test)]
mod broken_pipe;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod rate;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod tariff;
