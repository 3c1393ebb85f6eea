//! The schemas of types that serde reads and writes as another type. All other schemas are derived.

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
                let (min, max) = $lengths;
                ObjectBuilder::new()
                    .schema_type(SchemaType::Type(Type::String))
                    .min_length(Some(min))
                    .max_length(Some(max))
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
    "The id of a user, which is part of the name of a Channels channel."
);
text!(
    NotificationId,
    "NotificationId",
    (1, 128),
    r"^[^\u0000-\u001f\u007f-\u009f]+$",
    "The id of a notification."
);
text!(
    OpId,
    "OpId",
    (1, 64),
    r"^[^\u0000-\u001f\u007f-\u009f]+$",
    "The id of a write, chosen by the client. A repeat does nothing."
);
text!(
    Tag,
    "Tag",
    (16, 16),
    "^[0-9a-f]{16}$",
    "The 64 random bits of a change. A seq and its tag identify one point in one history."
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn schema<T: ToSchema>() -> Value {
        serde_json::to_value(T::schema()).unwrap()
    }

    #[test]
    fn ids_are_texts_with_a_pattern() {
        assert_eq!(UserId::name(), "UserId");
        let id = schema::<UserId>();
        assert_eq!(
            (&id["type"], &id["minLength"], &id["maxLength"]),
            (&json!("string"), &json!(1), &json!(120))
        );
        assert_eq!(schema::<Tag>()["pattern"], "^[0-9a-f]{16}$");
    }

    #[test]
    fn a_change_kind_has_the_schema_of_its_wire_form() {
        assert_eq!(ChangeKind::name(), "ChangeKind");
        assert_eq!(schema::<ChangeKind>(), schema::<Wire<'_>>());
        assert!(schema::<ChangeKind>().to_string().contains("opened_all"));
        let mut schemas = Vec::new();
        ChangeKind::schemas(&mut schemas);
        assert!(schemas.iter().any(|(name, _)| name == "NotificationId"));
    }
}
