//! grantlog
