//! The #[command] attribute of byname.
