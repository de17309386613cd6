//! The table of secrets that show by their shape or by what stands around them: one row each.
//!
//! A row is tried on a line that holds one of its keywords and on no other. Keyed values (`password=…`) and blocks over lines are not here.

use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

use super::{commands, judge};

/// A kind of secret.
pub(super) struct Rule {
    /// Stands in the replacement text; never changes meaning.
    pub(super) id: &'static str,
    /// A line without any of these, in any case, does not hold the secret.
    pub(super) keywords: &'static [&'static str],
    /// The shape; the groups are the secret, or the whole match when there are none.
    pattern: &'static str,
    /// What the secret must not be.
    pub(super) check: Check,
    /// A byte without which a line does not hold the secret: asked first where the keyword is common.
    needs: Option<u8>,
}

impl Rule {
    const fn on_lines_with(self, byte: u8) -> Self {
        Self { needs: Some(byte), ..self }
    }

    /// Whether the line may hold the secret, as far as that is known without its shape.
    pub(super) fn may_be_on(&self, line: &[u8]) -> bool {
        self.needs.is_none_or(|byte| memchr::memchr(byte, line).is_some())
    }
}

/// What is asked about a match before it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// The shape is enough.
    Shape,
    /// It is not a placeholder and not a name.
    Value,
    /// It holds letters and digits as well.
    Mixed,
    /// As [`Self::Mixed`], and it is no UUID.
    Ticket,
    /// It looks as if it was made by chance.
    Scrambled,
    /// It is an argument of a command that says no number, no path and no host.
    Argument,
}

impl Check {
    pub(super) fn holds(self, value: &[u8]) -> bool {
        match self {
            Self::Shape => !judge::holds_marker(value),
            Self::Value => judge::is_value(value),
            Self::Mixed => judge::is_value(value) && judge::is_mixed(value, 8),
            Self::Ticket => Self::Mixed.holds(value) && !judge::is_uuid(value),
            Self::Scrambled => judge::is_value(value) && judge::is_scrambled(value, 8),
            Self::Argument => judge::is_argument(value),
        }
    }
}

/// A row whose shape is ready to be searched.
pub(super) struct Compiled {
    pub(super) rule: &'static Rule,
    pub(super) shape: Regex,
}

/// All rows, compiled once.
pub(super) static COMPILED: LazyLock<Vec<Compiled>> = LazyLock::new(|| {
    let compile = |rule: &'static Rule| {
        let shape = RegexBuilder::new(rule.pattern).unicode(false).build().ok()?;
        Some(Compiled { rule, shape })
    };
    rows().filter_map(compile).collect()
});

/// All rows.
fn rows() -> impl Iterator<Item = &'static Rule> {
    RULES.iter().chain(commands::ROWS)
}

/// Ids of rules that are not rows of this table.
const OTHER_IDS: &[&str] = &[
    super::span::KNOWN_VALUE,
    super::keyed::KEYED,
    super::keyed::FLAG,
    super::blocks::PRIVATE_KEY,
    super::blocks::VAULT,
    super::blocks::NEXT_LINE,
    super::blocks::KUBE_DATA,
];

/// Every id that can stand in a replacement.
pub(super) fn ids() -> impl Iterator<Item = &'static str> {
    rows().map(|rule| rule.id).chain(OTHER_IDS.iter().copied())
}

/// Whether an id can stand in a replacement.
pub(super) fn is_id(id: &str) -> bool {
    ids().any(|known| known == id) || super::user::is_name(id)
}

/// A row.
pub(super) const fn rule(
    id: &'static str,
    keywords: &'static [&'static str],
    pattern: &'static str,
    check: Check,
) -> Rule {
    Rule { id, keywords, pattern, check, needs: None }
}

const RULES: &[Rule] = &[
    rule(
        "github-token",
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        r"gh[opusr]_[A-Za-z0-9][A-Za-z0-9._-]{18,}[A-Za-z0-9_-]",
        Check::Shape,
    ),
    // An id of its own: the other one repeats a part of this secret.
    rule("fine-grained-token", &["github_pat_"], r"github_pat_\w{20,}", Check::Shape),
    rule("jwt", &["eyj"], r"eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)*", Check::Shape),
    rule(
        "aws-access-key",
        &["akia", "asia", "abia", "acca"],
        r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b",
        Check::Shape,
    ),
    rule(
        "aws-session-token",
        &["iqojb3jpz2lux2vj", "fwogzxivyxdze"],
        r"(?:IQoJb3JpZ2luX2Vj|FwoGZXIvYXdzE)[A-Za-z0-9+/=%]{50,}",
        Check::Shape,
    ),
    rule(
        "url-parameter",
        &["sig=", "signature=", "token=", "key=", "password=", "secret=", "pass=", "auth="],
        r#"(?i)(?:[?&;](?:sig|signature|x-(?:amz|goog)-(?:signature|security-token)|access_token|auth_token|token|api_?key|key|password|client_secret|secret)|[?&](?:[\w-]{0,16}(?:access|api|app|auth|client|private|refresh|session|vault)[_-]?(?:token|key|secret)|auth|pass(?:wd)?))=([^&\s"'<>\\]{8,})"#,
        Check::Value,
    ),
    rule(
        "azure-key",
        &["accountkey", "sharedaccesskey", "q~"],
        r"(?:AccountKey|SharedAccessKey)\s{0,3}=\s{0,3}([A-Za-z0-9+/]{40,}={0,2})|([\w~.-]{3}[0-9]Q~[\w~.-]{31,36})",
        Check::Shape,
    ),
    rule(
        "gcp-key",
        &["aiza", "ya29.", "gocspx-", "1//0"],
        r"AIza[\w-]{35}|ya29\.[\w.-]{20,}|GOCSPX-[\w-]{28}|\b1//0[\w-]{40,}",
        Check::Shape,
    ),
    rule(
        "private-key",
        &["ls0tls1crudjti"],
        r"(?:LS0tLS1CRUdJTiBQUklWQVRF|LS0tLS1CRUdJTiB[A-Za-z0-9+/]{2,24}(?:UFJJVkFUR|QUklWQVRF|BSSVZBVE))[A-Za-z0-9+/=\n]{20,}",
        Check::Shape,
    ),
    rule(
        "url-password",
        &["://"],
        r#"://[^\s:/@'"<>]*:(?:([^\s/'"<>?#]+)|([^\s/@'"<>]*[^\s/@0-9'"<>][^\s/@'"<>]*/[^\s@'"<>]*))@"#,
        Check::Value,
    )
    .on_lines_with(b'@'),
    rule("url-token", &["://"], r"://([\w-]{20,})@", Check::Mixed).on_lines_with(b'@'),
    rule("dsn-password", &["@tcp(", "@unix("], r"[\w.-]+:([^\s:@/]+)@(?:tcp|unix)\(", Check::Value),
    rule(
        "auth-header",
        &["authorization"],
        r#"(?i)authorization[\\"']{0,3}\s{0,3}(?:=>|[:=,])\s{0,3}[\[(]?[\\"']{0,3}(?:(?:basic|bearer|token|bot|geniekey|apikey|negotiate|digest|ssws|splunk|aws4-hmac-sha256)\s+)?([^\s"',;:\\\])][^\s"',;\\\])]{5,})"#,
        Check::Value,
    ),
    rule(
        "auth-header",
        &["authorization"],
        r#"(?i)authorization[\\"']{0,3}\s{0,3}(?:=>|[:=,])\s{0,3}[\[(]?[\\"']{0,3}[a-z][\w-]{2,20}[\s=]\s{0,3}([^\s"',;:\\\])][^\s"',;\\\])]{11,})"#,
        Check::Mixed,
    ),
    rule("bearer-token", &["bearer "], r"(?i)\bbearer\s+([\w.~+/=-]{16,})", Check::Mixed),
    rule("basic-auth", &["basic "], r"(?i)\bbasic\s+([A-Za-z0-9+/]{12,}={0,2})", Check::Mixed),
    rule(
        "key-header",
        &["x-", "private-token", "api-key"],
        r#"(?i)\b(?:x-[a-z-]*(?:token|key|auth|secret)|private-token|api-key)[\\"']{0,3}\s{0,3}(?:=>|[:=])\s{0,3}\[?[\\"']{0,3}([^\s"',;\\\]]{8,})"#,
        Check::Value,
    ),
    rule(
        "cookie",
        &["cookie", "session=", "sessid=", "sessionid=", "session_id=", "connect.sid="],
        r#"(?i)cookie[\\"']{0,3}\s{0,3}[:=]?\s{0,3}[\\"']{0,3}[^\s=;,"']+=([^\s;"'\\]{8,})|(?:^|[^?&a-z0-9_.-])[a-z0-9_.-]*session(?:_?id)?=([^\s;"'\\]{12,})|\b(?:[a-z0-9_.-]*sessid|connect\.sid)=([^\s;"'\\]{12,})"#,
        Check::Mixed,
    ),
    // In an address the id of a session that is a UUID is that of the runner's queue, on every other line of its own logs.
    rule(
        "cookie",
        &["session=", "sessionid=", "session_id="],
        r#"(?i)[?&][a-z0-9_.-]*session(?:_?id)?=([^&\s;"'\\]{12,})"#,
        Check::Ticket,
    ),
    rule(
        "sql-password",
        &[
            "identified ",
            "password '",
            "password \\'",
            "password('",
            "password(\\'",
            "set password",
        ],
        r#"(?i:\b(?:identified\s+(?:with\s+\S{1,60}\s+)?(?:by|as)(?:\s+password|\s+values)?|password)\s+\\?'([^'\\]+))|IDENTIFIED BY \\?"?([^\s;'"\\]+)|\bPASSWORD\s?\(\s?\\?'([^'\\]+)|(?i:\bset\s+password\s+for\s+\S{1,120}\s*=\s*\\?'([^'\\]+))"#,
        Check::Value,
    ),
    rule(
        "sentence",
        &[" is ", " was ", " is:", " was:", "password ", "ing token", "ith token"],
        r#"(?i)\b(?:password|passphrase|token|secret|key)\s+(?:(?:is\s+generated|(?:re)?set|changed)?\s?(?:to|for\s[^:\n]{1,80}:)|(?:is|was)\s*:?)\s+['"]?([^\s'"\\]{8,})|\bpassword\s+['"]?([^\s'"\\]{8,})['"]?\s+(?:is|was|for|failed|rejected|does)\b|\b(?:using|with)\s+(?:password|token)\s+['"]?([^\s'"\\]{8,})"#,
        Check::Scrambled,
    ),
    rule(
        "sentence",
        &["unseal key", "recovery key", "root token"],
        r"(?i)\b(?:(?:unseal|recovery)\s+key(?:\s+\d{1,2})?|root\s+token)\s*:\s*([^\s'\x22\\]{8,})",
        Check::Value,
    ),
    rule(
        "credential-pair",
        &["auth=(", "auth=[", "login(", "basic auth", "credentials ", "stats auth"],
        r#"\b(?:auth=[(\[]|login\()\s?\\?['"][^'"\\]{1,80}\\?['"],\s?\\?['"]([^'"\\]+)|(?i:\b(?:basic\s+auth:?|credentials|stats\s+auth))\s+['"]?[\w.@-]{1,60}:([^\s'":/\\]{6,})"#,
        Check::Value,
    ),
    rule(
        "config-value",
        &["requirepass", "masterauth", "bindpw", "rootpw"],
        r#"(?i)(?:\b|\\n)(?:requirepass|masterauth|bindpw|rootpw(?:\s+--plaintext|\s+--iscrypted)?)[\\"']{0,3}\s{1,8}[\\"']{0,3}([^\s"'\\=]{4,})"#,
        Check::Value,
    ),
    rule(
        "password-hash",
        &["$6$", "$5$", "$1$", "$y$", "$2a$", "$2b$", "$2y$", "$argon2"],
        r"\$[56]\$(?:rounds=\d{1,9}\$)?[\w./]{1,16}\$[\w./]{40,90}|\$1\$[\w./]{1,8}\$[\w./]{22}|\$y\$[\w./]{1,20}\$[\w./]{1,90}\$[\w./]{40,50}|\$2[aby]\$\d\d\$[\w./]{50,60}|\$argon2(?:id|i|d)\$[^\s\x22'\\]{20,200}",
        Check::Shape,
    ),
    rule(
        "netrc",
        &["machine ", "default login"],
        r"(?:\b|\\n)(?:machine\s+\S{1,120}|default)\s+login\s+\S{1,120}\s+password\s+([^\s\x22'\\]+)",
        Check::Value,
    ),
    rule(
        "pgpass",
        &[":5432:", ":5433:", ":5434:", ":6432:"],
        r"[^\s:]+:\d{2,5}:[^:\s]{1,60}:[^:\s]{1,60}:([^\s\x22'\\]+)(?:[\s\x22'\\]|$)",
        Check::Value,
    ),
    rule(
        "webhook",
        &["hooks.slack.com/", "/api/webhooks/", "webhook.office.com"],
        r"hooks\.slack\.com/(?:services|workflows|triggers)/([\w/-]{20,})|discord(?:app)?\.com/api/webhooks/\d+/([\w-]{30,})|webhook\.office\.com/webhookb2/([^\s\x22']{40,})",
        Check::Shape,
    ),
    rule("telegram-token", &[":aa"], r"\d{8,11}:AA[\w-]{33}", Check::Shape),
    rule(
        "discord-token",
        &["discord", "bot", "token"],
        r"\b[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,}\b",
        Check::Shape,
    ),
    rule(
        "vendor-token",
        &[
            "glpat-", "gldt-", "glrt-", "glptt-", "gloas-", "glcbt-", "glft-", "glimt-",
            "glagent-", "glsoat-", "xox", "xapp-",
        ],
        r"gl(?:pat|dt|rt|ptt|oas|cbt|ft|imt|agent|soat)-[\w.-]{19,}|xox[abeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{10,}|xapp-\d-[A-Za-z0-9-]{20,}",
        Check::Shape,
    ),
    rule(
        "vendor-token",
        &["npm_", "pypi-age", "dckr_", "rubygems_", "oy2", "cio", "pnu_"],
        r"\bnpm_[A-Za-z0-9]{36}\b|pypi-AgE[\w-]{50,}|dckr_(?:pat|oat)_[\w-]{20,}|rubygems_[a-f0-9]{48}|\boy2[a-z0-9]{43}\b|\bcio[A-Za-z0-9]{32}\b|\bpnu_[a-z0-9]{36}\b",
        Check::Shape,
    ),
    rule(
        "vendor-token",
        &[
            "k_live_", "k_test_", "k_prod_", "sg.", "shpat_", "shpca_", "shppa_", "shpss_",
            "pmak-", "key-", "-us",
        ],
        r"[sr]k_(?:live|test|prod)_[A-Za-z0-9]{10,}|\bSG\.[\w-]{22}\.[\w-]{43}|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}|PMAK-[a-f0-9]{24}-[a-f0-9]{34}|\bkey-[a-f0-9]{32}\b|\b[a-f0-9]{32}-us\d{1,2}\b",
        Check::Shape,
    ),
    rule(
        "vendor-token",
        &[
            "do_v1_", "dop_v1_", "doo_v1_", "dor_v1_", "glsa_", "glc_", "dapi", "pul-", "dp.",
            "tskey-", "ops_eyj", "hrku-aa", "nrak-",
        ],
        r"do[opr]_v1_[a-f0-9]{64}|glsa_[A-Za-z0-9]{32}_[a-f0-9]{8}|glc_[A-Za-z0-9+/]{32,}={0,2}|\bdapi[a-f0-9]{32}|\bpul-[a-f0-9]{40}|\bdp\.(?:st|pt|ct|sa|scim|audit)\.[\w.-]{20,}|tskey-[a-z]+-[A-Za-z0-9-]{10,}|ops_eyJ[\w-]{40,}|HRKU-AA[\w-]{58}|NRAK-[A-Z0-9]{27}",
        Check::Shape,
    ),
    rule(
        "vendor-token",
        &[
            "hvs.",
            "hvb.",
            "hvr.",
            ".atlasv1.",
            "sqp_",
            "squ_",
            "sqa_",
            "hf_",
            "lin_api_",
            "bkua_",
            "sbp_",
            "pscale_",
            "flyv1 ",
            "age-secret-key-1",
        ],
        r"\bhv[sbr]\.[\w-]{24,}|[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{60,}|\bsq[pua]_[a-f0-9]{40}|\bhf_[A-Za-z0-9]{34}\b|lin_api_[A-Za-z0-9]{40}|\bbkua_[a-f0-9]{40}\b|\bsbp_[a-f0-9]{40}\b|pscale_(?:tkn|pw|oauth)_[\w=.-]{32,}|FlyV1 fm\d_[A-Za-z0-9+/=,_]{50,}|AGE-SECRET-KEY-1[A-Z0-9]{50,}",
        Check::Shape,
    ),
    rule(
        "vendor-token",
        &[
            "sk-proj-",
            "sk-svcacct-",
            "sk-admin-",
            "sk-ant-",
            "atatt3",
            "atctt3",
            "atbb",
            "ccipat_",
            "cciprj_",
            "sntrys_",
            "sntryu_",
            "akcp",
            "cmvmdgtu",
        ],
        r"\bsk-(?:proj|svcacct|admin|ant-(?:api|admin)\d\d)-[\w-]{20,}|\bAT(?:ATT3|CTT3)[\w=-]{50,}|\bATBB[A-Za-z0-9]{28,}|CCIP(?:AT|RJ)_[A-Za-z0-9]+_[a-f0-9]{40}|sntry[su]_[A-Za-z0-9+/=_-]{30,}|\bAKCp[A-Za-z0-9]{69}\b|\bcmVmdGtu[A-Za-z0-9]{56}\b",
        Check::Shape,
    ),
    rule(
        "vendor-token",
        &[
            "sk0", "sk1", "sk2", "sk3", "sk4", "sk5", "sk6", "sk7", "sk8", "sk9", "ska", "skb",
            "skc", "skd", "ske", "skf",
        ],
        r"\bSK[a-f0-9]{32}\b",
        Check::Shape,
    ),
    rule(
        "registry-auth",
        &["\"auth\"", "\"auth\\", "dockerconfigjson", "_auth"],
        r#""auth\\{0,3}"\s*:\s*\\{0,3}"([A-Za-z0-9+/=]{8,})|dockerconfigjson[\\"']{0,4}\s*:\s*[\\"']{0,4}([A-Za-z0-9+/=]{20,})|_auth(?:Token)?\s*=\s*["']?([^\s"'\\]{8,})"#,
        Check::Value,
    ),
    rule(
        "kube-key",
        &["client-key-data", "kind\":\"secret", "kind\": \"secret", "kind\\\":\\\"secret"],
        r#"client-key-data:\s*(\S{16,})|"(?:data|stringData)\\{0,3}"\s?:\s?\{([^{}]{8,4000})\}"#,
        Check::Value,
    ),
    rule(
        "rsa-parameter",
        &[
            "\"d\"",
            "\"p\"",
            "\"q\"",
            "\"dp\"",
            "\"dq\"",
            "\"inverseq\"",
            "\"d\\",
            "\"p\\",
            "\"q\\",
            "\"dp\\",
            "\"dq\\",
            "\"inverseq\\",
        ],
        r#"(?i)"(?:d|dp|dq|p|q|inverseQ)\\{0,3}"\s*:\s*\\{0,3}"([A-Za-z0-9+/=_-]{100,})"#,
        Check::Shape,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_compiles_and_every_keyword_is_lower_case() {
        assert_eq!(COMPILED.len(), rows().count());
        assert!(COMPILED.len() <= 64, "the mask of a line has 64 bits");
        for keyword in rows().flat_map(|rule| rule.keywords) {
            assert_eq!(*keyword, keyword.to_ascii_lowercase());
        }
    }

    #[test]
    fn ids_are_kebab_case_and_fit_in_a_replacement() {
        for id in ids() {
            assert!(
                id.len() <= 32 && id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
                "{id}"
            );
        }
    }
}
