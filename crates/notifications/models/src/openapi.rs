//! The schemas of what serde reads and writes through another type; the rest are derived beside their types.

use std::borrow::Cow;

use utoipa::openapi::schema::{ObjectBuilder, SchemaType};
use utoipa::openapi::{RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::change::Wire;
use crate::{ChangeKind, NotificationId, OpId, Tag, UserId};

macro_rules! text {
    ($type:ty, $name:literal, $lengths:expr, $pattern:literal, $description:literal) => {
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                let (least, most) = $lengths;
                ObjectBuilder::new()
                    .schema_type(SchemaType::Type(Type::String))
                    .min_length(Some(least))
                    .max_length(Some(most))
                    .pattern(Some($pattern))
                    .description(Some($description))
                    .into()
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }
        }
    };
}

text!(
    UserId,
    "UserId",
    (1, 120),
    "^(?!encrypted-|cache-)[A-Za-z0-9_=@,.;-]+$",
    "A user: a part of the name of a Channels channel."
);
text!(NotificationId, "NotificationId", (1, 128), r"^[^\u0000-\u001f\u007f-\u009f]+$", "A notification.");
text!(
    OpId,
    "OpId",
    (1, 64),
    r"^[^\u0000-\u001f\u007f-\u009f]+$",
    "An operation, chosen by the client; a repeat does nothing."
);
text!(
    Tag,
    "Tag",
    (16, 16),
    "^[0-9a-f]{16}$",
    "64 random bits of a change: with its seq they name one point in one history."
);

impl PartialSchema for ChangeKind {
    fn schema() -> RefOr<Schema> {
        Wire::schema()
    }
}

impl ToSchema for ChangeKind {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("ChangeKind")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Wire::schemas(schemas);
    }
}
