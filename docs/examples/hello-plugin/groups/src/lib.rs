//! The commands about groups. Each registers itself; a host that links this crate has them:
//! `use groups as _;`.

mod create;
