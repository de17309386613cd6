//! Characters that a terminal obeys or that a reader can not see. The one table of them; how they are shown is the matter of each place.

/// Whether a terminal obeys the character or a reader can not see it.
pub fn is_unseen(c: char) -> bool {
    c.is_control() || is_hidden(c) || is_noncharacter(c)
}

/// Characters that reorder, separate or show nothing.
pub fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{85}' | '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e01ef}')
}

/// Code points that stand for no character.
pub fn is_noncharacter(c: char) -> bool {
    u32::from(c) & 0xfffe == 0xfffe || matches!(c, '\u{fdd0}'..='\u{fdef}')
}
