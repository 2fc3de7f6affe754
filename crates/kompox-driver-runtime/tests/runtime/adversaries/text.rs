//! W11, W13, W14: answers that are too long, or are no text and no pointer. The encodings of UTF-16 are
//! those of guests in other languages.

use super::{ACCOUNT, DETECT, attacked, load};
use crate::{hostile::Hostile, support::call};
use kompox_core::driver::{Driver as _, ErrorCode, Facts};
use wit_component::StringEncoding;

/// `result::ok`, then the option `id`: pointer and length.
fn account(pointer: u32, length: u32) -> Hostile {
    let bytes: String = [1_u32, pointer, length]
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .map(|byte| format!("\\{byte:02x}"))
        .collect();
    Hostile::default().body(ACCOUNT, "i32.const 8192").field(&format!("(data (i32.const 8196) \"{bytes}\")"))
}

#[tokio::test]
async fn text_of_other_encodings_is_checked_as_well() {
    let surrogate = r#"(data (i32.const 8448) "\00\d8a\00")"#;
    for (what, why, hostile) in [
        ("an unpaired surrogate", "unpaired surrogate", account(8448, 2).field(surrogate)),
        ("an address that is not aligned", "not aligned", account(8449, 2)),
        ("text beyond the memory", "out of bounds", account(8448, 0x7fff_ffff)),
    ] {
        let error = attacked(hostile.encoding(StringEncoding::UTF16)).await;
        assert_eq!(
            (error.code, error.reason.as_str()),
            (ErrorCode::Internal, "DriverTrapped"),
            "{what}: {error}"
        );
        assert!(error.message.contains(why), "{what}: {error}");
    }
}

#[tokio::test]
async fn an_allocator_that_gives_what_is_not_there_is_noticed() {
    let hostile = Hostile::default()
        .body(ACCOUNT, "i32.const 65000 call $call.context i32.const 8192")
        .body("cabi_realloc", "i32.const -4");
    let error = attacked(hostile).await;
    assert_eq!((error.code, error.reason.as_str()), (ErrorCode::Internal, "DriverTrapped"), "{error}");
    assert!(error.message.contains("realloc return: beyond end of memory"), "{error}");
}

/// Ten million items that are not even there.
#[tokio::test]
async fn a_list_longer_than_the_memory_is_refused_unread() {
    let body = "i32.const 8192 i32.const 65536 i32.store i32.const 8192 i32.const 10000000 i32.store offset=4 i32.const 8192";
    let adversary = load(&Hostile::default().body(DETECT, body)).await.unwrap();
    let error = adversary.detect(&call("open", &[]), &Facts::default()).await.unwrap_err();
    assert_eq!((error.code, error.reason.as_str()), (ErrorCode::Internal, "DriverTrapped"), "{error}");
    assert!(error.message.contains("out of bounds"), "{error}");
}
