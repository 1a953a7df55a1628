//! What goes wrong on purpose: processes that are killed at each step of their work, disks that are full, containers that
//! do their worst. Afterwards the next command finds everything whole, and `engine check` finds nothing.

mod full_disk;
mod hostile;
mod kills;
mod links;
mod load;
mod reboot;
mod roots;
mod silent;
mod state;
mod stepper;
mod terminal;
