//! Which of our crates may depend on which.

use crate::workspace::{Dependency, Package, Workspace};

/// Each crate under `crates/`, with the crates of ours that it may depend on. A crate comes after
/// those.
const ARROWS: &[(&str, &[&str])] = &[
    ("pusher-protocol", &[]),
    ("pusher-signer", &["pusher-protocol"]),
    ("pusher-client", &["pusher-protocol", "pusher-signer"]),
    ("pusher-broker", &["pusher-protocol", "pusher-signer"]),
    ("internal-notifications-models", &[]),
    ("internal-notifications-service", &["internal-notifications-models"]),
    ("internal-notifications-storage", &["internal-notifications-models", "internal-notifications-service"]),
    ("internal-notifications-mock", &["internal-notifications-models", "internal-notifications-service"]),
    (
        "internal-notifications-pusher",
        &[
            "internal-notifications-models",
            "internal-notifications-service",
            "pusher-protocol",
            "pusher-client",
        ],
    ),
    (
        "internal-notifications",
        &[
            "internal-notifications-models",
            "internal-notifications-service",
            "internal-notifications-storage",
            "internal-notifications-mock",
            "internal-notifications-pusher",
        ],
    ),
    ("internal-notifications-store", &["internal-notifications-models", "internal-notifications-service"]),
    ("internal-notifications-outbox", &["internal-notifications-models"]),
    ("internal-notifications-store", &["internal-notifications-models", "internal-notifications-service"]),
    (
        "internal-notifications-server",
        &[
            "internal-notifications-models",
            "internal-notifications-service",
            "internal-notifications-store",
            "internal-notifications-outbox",
            "internal-notifications-store",
            "pusher-protocol",
            "pusher-signer",
            "pusher-client",
            "pusher-broker",
        ],
    ),
    (
        "internal-notifications-testkit",
        &["internal-notifications-models", "internal-notifications-service", "internal-notifications-server"],
    ),
    (
        "internal-notifications-cli",
        &[
            "internal-notifications-models",
            "internal-notifications-service",
            "internal-notifications-pusher",
            "internal-notifications",
            "internal-notifications-server",
            "pusher-protocol",
            "pusher-signer",
            "pusher-client",
            "pusher-broker",
        ],
    ),
];

const TESTKIT: &str = "internal-notifications-testkit";
const CHANNELS: &str = "crates/channels/";
const NOTIFICATIONS: &str = "crates/notifications/";

/// Returns a sentence about each dependency that the table does not allow.
fn wrong_arrows(members: &[&Package]) -> Vec<String> {
    let mut wrong = Vec::new();
    for package in members {
        let name = package.name.as_str();
        let row = ARROWS.iter().find(|(from, _)| *from == name);
        if package.in_crates() && row.is_none() {
            wrong.push(format!("{name} is missing from the table of arrows"));
        }
        for dependency in &package.dependencies {
            let Some(ours) = members.iter().find(|member| member.name == dependency.name) else { continue };
            let to = ours.name.as_str();
            let dev = dependency.kind.as_deref() == Some("dev");
            let allowed = row.is_none_or(|(_, allowed)| allowed.contains(&to));
            if package.in_crates() && !dev && !allowed {
                wrong.push(format!("{name} must not depend on {to}"));
            }
            if package.place().starts_with(CHANNELS) && ours.place().starts_with(NOTIFICATIONS) {
                wrong.push(format!("{name} is in the channels wing and must not depend on {to}"));
            }
            if to == TESTKIT && package.is_published() && (!dev || dependency.req != "*") {
                wrong.push(format!("{name} may use {to} only as a dev-dependency without a version"));
            }
            if name == "xtask" {
                wrong.push(format!("xtask is glue and must not depend on {to}"));
            }
        }
    }
    wrong
}

#[test]
fn crates_depend_only_on_what_the_table_allows() {
    let workspace = Workspace::read();
    let wrong = wrong_arrows(&workspace.members());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_backend_that_signs_needs_only_the_signer() {
    let workspace = Workspace::read();
    let members = workspace.members();
    let backend =
        members.iter().find(|member| member.name == "auth-endpoint").expect("the example is a member");
    let normal = backend.dependencies.iter().filter(|dependency| dependency.kind.is_none());
    let ours = normal.filter(|dependency| members.iter().any(|member| member.name == dependency.name));
    assert_eq!(ours.map(|dependency| dependency.name.as_str()).collect::<Vec<_>>(), ["pusher-signer"]);
}

#[test]
fn the_outbox_depends_only_on_models_and_sqlx() {
    let workspace = Workspace::read();
    let outbox =
        workspace.members().into_iter().find(|member| member.name == "internal-notifications-outbox");
    let outbox = outbox.expect("the outbox is a member");
    let normal = outbox.dependencies.iter().filter(|dependency| dependency.kind.is_none());
    let names: Vec<_> = normal.map(|dependency| dependency.name.as_str()).collect();
    assert_eq!(names, ["internal-notifications-models", "sqlx"]);
}

#[test]
fn the_table_has_no_cycle_and_no_unknown_crate() {
    for (at, (from, allowed)) in ARROWS.iter().enumerate() {
        for to in *allowed {
            let target = ARROWS.iter().position(|(name, _)| name == to);
            assert!(target.is_some_and(|target| target < at), "{to} must come before {from}");
        }
    }
}

#[test]
fn a_wrong_arrow_is_reported_with_both_ends() {
    let signer = member("pusher-signer", "crates/channels/signer", &[("pusher-client", None)]);
    let client = member("pusher-client", "crates/channels/client", &[("pusher-signer", None)]);
    assert_eq!(wrong_arrows(&[&signer, &client]), ["pusher-signer must not depend on pusher-client"]);
}

#[test]
fn a_dev_dependency_between_the_wings_is_wrong_too() {
    let models = member("internal-notifications-models", "crates/notifications/models", &[]);
    let dependency = [("internal-notifications-models", Some("dev"))];
    let broker = member("pusher-broker", "crates/channels/broker", &dependency);
    let expected =
        "pusher-broker is in the channels wing and must not depend on internal-notifications-models";
    assert_eq!(wrong_arrows(&[&models, &broker]), [expected]);
}

#[test]
fn a_crate_missing_from_the_table_is_reported() {
    let stray = member("pusher-stray", "crates/channels/stray", &[]);
    assert_eq!(wrong_arrows(&[&stray]), ["pusher-stray is missing from the table of arrows"]);
}

#[test]
fn the_testkit_is_a_dev_dependency_without_a_version() {
    let testkit = member(TESTKIT, "crates/notifications/testkit", &[]);
    let mut mock =
        member("internal-notifications-mock", "crates/notifications/mock", &[(TESTKIT, Some("dev"))]);
    assert!(wrong_arrows(&[&testkit, &mock]).is_empty());
    mock.dependencies[0].req = "^0.1".into();
    let expected = "internal-notifications-mock may use internal-notifications-testkit only as a dev-dependency without a version";
    assert_eq!(wrong_arrows(&[&testkit, &mock]), [expected]);
}

fn member(name: &str, place: &str, dependencies: &[(&str, Option<&str>)]) -> Package {
    let dependencies = dependencies.iter().map(|(name, kind)| Dependency {
        name: (*name).into(),
        kind: kind.map(Into::into),
        req: "*".into(),
    });
    Package {
        name: name.into(),
        manifest_path: crate::workspace::root().join(place).join("Cargo.toml"),
        dependencies: dependencies.collect(),
        ..Package::default()
    }
}
