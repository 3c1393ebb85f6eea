//! Which of our crates may depend on which of ours.

use crate::workspace::{Dependency, Package, Workspace};

/// Each crate under `crates/`, and the only ones of ours that it may depend on.
const ARROWS: &[(&str, &[&str])] = &[
    ("pusher-protocol", &[]),
    ("pusher-signer", &["pusher-protocol"]),
    ("pusher-client", &["pusher-protocol", "pusher-signer"]),
    ("pusher-broker", &["pusher-protocol", "pusher-signer"]),
    ("internal-notifications-models", &[]),
    ("internal-notifications-service", &["internal-notifications-models"]),
    ("internal-notifications-mock", &["internal-notifications-models", "internal-notifications-service"]),
    (
        "internal-notifications-pusher",
        &["internal-notifications-models", "internal-notifications-service", "pusher-client"],
    ),
    (
        "internal-notifications",
        &[
            "internal-notifications-models",
            "internal-notifications-service",
            "internal-notifications-mock",
            "internal-notifications-pusher",
        ],
    ),
    ("internal-notifications-outbox", &["internal-notifications-models"]),
    (
        "internal-notifications-server",
        &[
            "internal-notifications-models",
            "internal-notifications-service",
            "internal-notifications-outbox",
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

/// Every arrow that points the wrong way, as a sentence.
fn wrong_arrows(members: &[&Package]) -> Vec<String> {
    let mut wrong = Vec::new();
    for package in members {
        let name = package.name.as_str();
        let row = ARROWS.iter().find(|(from, _)| *from == name);
        if package.in_crates() && row.is_none() {
            wrong.push(format!("{name} is not in the table of arrows"));
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
                wrong.push(format!("{name} is of the channels wing and must not know of {to}"));
            }
            if to == TESTKIT && package.is_published() && (!dev || dependency.req != "*") {
                wrong.push(format!("{name} may have {to} only as a dev-dependency by path alone"));
            }
            if name == "xtask" {
                wrong.push(format!("xtask is glue and must not depend on {to}"));
            }
        }
    }
    wrong
}

#[test]
fn every_arrow_points_the_right_way() {
    let workspace = Workspace::read();
    let wrong = wrong_arrows(&workspace.members());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_backend_that_signs_needs_the_signer_alone() {
    let workspace = Workspace::read();
    let members = workspace.members();
    let backend = members.iter().find(|member| member.name == "auth-endpoint").expect("the example is there");
    let normal = backend.dependencies.iter().filter(|dependency| dependency.kind.is_none());
    let ours = normal.filter(|dependency| members.iter().any(|member| member.name == dependency.name));
    assert_eq!(ours.map(|dependency| dependency.name.as_str()).collect::<Vec<_>>(), ["pusher-signer"]);
}

#[test]
fn an_outbox_takes_the_models_and_sqlx_alone() {
    let workspace = Workspace::read();
    let outbox =
        workspace.members().into_iter().find(|member| member.name == "internal-notifications-outbox");
    let outbox = outbox.expect("the crate is there");
    let normal = outbox.dependencies.iter().filter(|dependency| dependency.kind.is_none());
    let names: Vec<_> = normal.map(|dependency| dependency.name.as_str()).collect();
    assert_eq!(names, ["internal-notifications-models", "sqlx"]);
}

#[test]
fn the_table_itself_has_no_cycle_and_no_stranger() {
    for (at, (from, allowed)) in ARROWS.iter().enumerate() {
        for to in *allowed {
            let target = ARROWS.iter().position(|(name, _)| name == to);
            assert!(target.is_some_and(|target| target < at), "{to} must stand above {from}");
        }
    }
}

#[test]
fn a_wrong_arrow_is_named_with_both_ends() {
    let signer = member("pusher-signer", "crates/channels/signer", &[("pusher-client", None)]);
    let client = member("pusher-client", "crates/channels/client", &[("pusher-signer", None)]);
    assert_eq!(wrong_arrows(&[&signer, &client]), ["pusher-signer must not depend on pusher-client"]);
}

#[test]
fn a_dev_dependency_between_the_wings_is_wrong_too() {
    let models = member("internal-notifications-models", "crates/notifications/models", &[]);
    let dependency = [("internal-notifications-models", Some("dev"))];
    let broker = member("pusher-broker", "crates/channels/broker", &dependency);
    let told = "pusher-broker is of the channels wing and must not know of internal-notifications-models";
    assert_eq!(wrong_arrows(&[&models, &broker]), [told]);
}

#[test]
fn a_crate_that_the_table_lacks_is_named() {
    let stray = member("pusher-stray", "crates/channels/stray", &[]);
    assert_eq!(wrong_arrows(&[&stray]), ["pusher-stray is not in the table of arrows"]);
}

#[test]
fn testkit_is_a_dev_dependency_by_path_alone() {
    let testkit = member(TESTKIT, "crates/notifications/testkit", &[]);
    let mut mock =
        member("internal-notifications-mock", "crates/notifications/mock", &[(TESTKIT, Some("dev"))]);
    assert!(wrong_arrows(&[&testkit, &mock]).is_empty());
    mock.dependencies[0].req = "^0.1".into();
    let told = "internal-notifications-mock may have internal-notifications-testkit only as a dev-dependency by path alone";
    assert_eq!(wrong_arrows(&[&testkit, &mock]), [told]);
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
