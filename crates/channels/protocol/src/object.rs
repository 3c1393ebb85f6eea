use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Reads a value from a JSON object only. By itself, serde would also read a struct from an array
/// of its fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Data, ErrorData, Frame, FrameError, Handshake, Members, PresenceMember, UserData, WatchlistChanges,
    };

    #[test]
    fn arrays_pass_nowhere_for_objects() {
        fn read<T>(data: &str, parse: impl Fn(Data<'_>) -> Result<T, FrameError>) -> bool {
            let text = format!(r#"{{"event":"e","data":{data}}}"#);
            parse(Frame::parse(&text).unwrap().data()).is_ok()
        }
        assert_eq!(Frame::parse(r#"["pusher:ping",null,{},null]"#).err(), Some(FrameError));
        let pairs = [
            (read(r#"{"socket_id":"1.2"}"#, Handshake::parse), read(r#"["1.2",30]"#, Handshake::parse)),
            (
                read(r#"{"user_data":"{\"id\":\"ada\"}"}"#, UserData::parse),
                read(r#"["{\"id\":\"ada\"}"]"#, UserData::parse),
            ),
            (
                UserData::parse_text(r#"{"id":"ada"}"#.into()).is_ok(),
                UserData::parse_text(r#"["ada"]"#.into()).is_ok(),
            ),
            (
                read(r#"{"events":[{"name":"online","user_ids":[]}]}"#, WatchlistChanges::parse),
                read(r#"[[{"name":"online","user_ids":[]}]]"#, WatchlistChanges::parse)
                    || read(r#"{"events":[["online",[]]]}"#, WatchlistChanges::parse),
            ),
            (
                read(r#"{"user_id":"ada","user_info":{}}"#, PresenceMember::parse),
                read(r#"["ada",{}]"#, PresenceMember::parse),
            ),
            (
                read(r#"{"presence":{"ids":["ada"]}}"#, Members::parse),
                read(r#"{"presence":[["ada"],null]}"#, Members::parse)
                    || read(r#"[{"ids":["ada"]}]"#, Members::parse),
            ),
        ];
        for (index, pair) in pairs.into_iter().enumerate() {
            assert_eq!(pair, (true, false), "{index}");
        }
        let error = Frame::parse(r#"{"event":"e","data":[4001,"m"]}"#).unwrap();
        assert_eq!(ErrorData::parse(error.data()).code, None);
    }
}
