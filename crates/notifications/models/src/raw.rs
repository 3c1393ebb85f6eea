use std::collections::BTreeMap;
use std::fmt;
use std::iter;

use serde::de::value::MapDeserializer;
use serde::de::{self, DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};
use serde_json::Value;
use serde_json::value::RawValue;

/// A part of a JSON text as it is written.
///
/// Unlike a [`RawValue`], it can also be read from what serde has read already, as it does for the
/// attributes `flatten`, `untagged` and `tag`; numbers are then as serde read them.
pub(crate) struct Raw(pub(crate) Box<RawValue>);

impl Raw {
    pub(crate) fn parse<T: DeserializeOwned, E: de::Error>(&self) -> Result<T, E> {
        serde_json::from_str(self.0.get()).map_err(E::custom)
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(AlsoBuffered(deserializer)).map(Self)
    }
}

/// The fields of a map, to be read when its kind is known.
#[derive(Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct RawFields(pub(crate) BTreeMap<String, Raw>);

impl RawFields {
    pub(crate) fn get<T: DeserializeOwned, E: de::Error>(&self, field: &'static str) -> Result<T, E> {
        self.0.get(field).ok_or_else(|| E::missing_field(field))?.parse()
    }

    pub(crate) fn get_or_default<T: DeserializeOwned + Default, E: de::Error>(
        &self,
        field: &'static str,
    ) -> Result<T, E> {
        self.0.get(field).map_or_else(|| Ok(T::default()), Raw::parse)
    }
}

/// Reads a [`RawValue`], which asks for a newtype of a name that only serde_json's own
/// deserializers know.
struct AlsoBuffered<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for AlsoBuffered<D> {
    type Error = D::Error;

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_newtype_struct(name, RawVisitor { name, visitor })
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct RawVisitor<V> {
    name: &'static str,
    visitor: V,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for RawVisitor<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    /// The answer of serde_json: the text.
    fn visit_map<A: MapAccess<'de>>(self, text: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(text)
    }

    /// The answer of every other deserializer: the value itself. It becomes a text here.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let text = Value::deserialize(deserializer)?.to_string();
        self.visitor.visit_map(MapDeserializer::new(iter::once((self.name, text))))
    }
}
