use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, DeserializeSeed, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};

/// Gives a struct its fields of a map, and collects all other keys.
///
/// This is what `#[serde(flatten)]` does, which however reads the other values into values of its
/// own first, and numbers into floats.
pub(crate) struct Split<'r, D, R> {
    deserializer: D,
    rest: &'r mut BTreeMap<String, R>,
}

impl<'r, D, R> Split<'r, D, R> {
    pub(crate) fn new(deserializer: D, rest: &'r mut BTreeMap<String, R>) -> Self {
        Self { deserializer, rest }
    }
}

impl<'de, D: Deserializer<'de>, R: Deserialize<'de>> Deserializer<'de> for Split<'_, D, R> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.deserializer.deserialize_map(SplitVisitor { fields, visitor, rest: self.rest })
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, D::Error> {
        Err(de::Error::custom("only a struct can be split"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct SplitVisitor<'r, V, R> {
    fields: &'static [&'static str],
    visitor: V,
    rest: &'r mut BTreeMap<String, R>,
}

impl<'de, V: Visitor<'de>, R: Deserialize<'de>> Visitor<'de> for SplitVisitor<'_, V, R> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(SplitMap { fields: self.fields, map, rest: self.rest })
    }
}

struct SplitMap<'r, A, R> {
    fields: &'static [&'static str],
    map: A,
    rest: &'r mut BTreeMap<String, R>,
}

impl<'de, A: MapAccess<'de>, R: Deserialize<'de>> MapAccess<'de> for SplitMap<'_, A, R> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(key) = self.map.next_key::<String>()? {
            if self.fields.contains(&key.as_str()) {
                return seed.deserialize(key.into_deserializer()).map(Some);
            }
            let value = self.map.next_value()?;
            self.rest.insert(key, value);
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}
