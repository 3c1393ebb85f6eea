//! The documents whose Rust code is compiled as doctests.

#[doc = include_str!("../README.md")]
struct Readme;

#[doc = include_str!("../docs/testing.md")]
struct Testing;

#[doc = include_str!("../docs/custom-service.md")]
struct CustomService;

#[doc = include_str!("../docs/backend.md")]
struct Backend;

#[doc = include_str!("../docs/pusher-com.md")]
struct PusherCom;
