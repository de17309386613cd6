//! The rows of secrets that stand on command lines of well-known programs: `curl -u user:password`, `mysql -ppassword`, `echo … | passwd`.
//!
//! A command line may be written as one text or as a list of quoted arguments, so what parts two arguments is [`rule`]'s to say, in each
//! pattern: blanks, quotes, commas and backslashes. Long flags with a telling name (`--password`) are not here.

use super::rules::{Check, Rule, rule};

/// The rows, in the order in which they are tried.
pub(super) const ROWS: &[Rule] = &[
    rule(
        "cli-password",
        &["mysql", "mariadb", "mycli", "7z a", "7z x", "7z e", "7za "],
        r#"(?:\b|\\n)(?:mysql\w*|mariadb[\w-]{0,20}|mycli|7za?)\b[^\n|;]{0,200}?["',\s]-p\\?["']?([^\s"'\\-][^\s"'\\]*)"#,
        Check::Argument,
    ),
    rule(
        "cli-password",
        &[
            "sshpass",
            " login",
            "\"login",
            "'login",
            "twine",
            "mongo",
            "cqlsh",
            "cypher-shell",
            "influx",
        ],
        r#"(?:\b|\\n)sshpass["',\s\\]{1,6}-p["',\s\\]{0,6}([^\s"'\\-][^\s"'\\]*)|(?:\b|\\n)(?:login|twine|mongo\w*|cqlsh|cypher-shell|influx)\b[^\n|;]{0,200}?["',\s]-p["',\s\\=]{1,6}([^\s"'\\-][^\s"'\\]*)"#,
        Check::Argument,
    ),
    rule(
        "cli-password",
        &[
            "redis-cli",
            "valkey-cli",
            "sqlcmd",
            "bcp ",
            "ipmitool",
            "zip -",
            "mosquitto_",
            "ldapsearch",
            "ldapadd",
            "ldapmodify",
            "ldapdelete",
            "ldapwhoami",
            "ldappasswd",
            "kadmin",
            "snmp",
            "ssh-keygen",
        ],
        r#"(?:\b|\\n)(?:redis|valkey)-cli\b[^\n|;]{0,200}?["',\s](?:-a|--pass)["',\s\\=]{1,6}([^\s"'\\-][^\s"'\\]*)|(?:\b|\\n)(?:sqlcmd|bcp|ipmitool|(?:un)?zip|mosquitto_\w{3})\b[^\n|;]{0,200}?["',\s]-P["',\s\\]{0,6}([^\s"'\\-][^\s"'\\]*)|(?:\b|\\n)(?:ldap(?:search|add|modify|delete|whoami|passwd)|kadmin(?:\.local)?)\b[^\n|;]{0,200}?["',\s]-w["',\s\\]{0,6}([^\s"'\\-][^\s"'\\]*)|(?:\b|\\n)snmp\w{2,9}\b[^\n|;]{0,200}?["',\s]-A["',\s\\]{1,6}([^\s"'\\-][^\s"'\\]*)(?:[^\n|;]{0,80}?["',\s]-X["',\s\\]{1,6}([^\s"'\\-][^\s"'\\]*))?|\bssh-keygen\b[^\n|;]{0,200}?["',\s]-[NP]["',\s\\]{0,6}([^\s"'\\-][^\s"'\\]*)"#,
        Check::Argument,
    ),
    rule(
        "cli-password",
        &["curl", "wget", "http -a", "ab -a", "etcdctl", "smbclient", "rpcclient", "lftp"],
        r#"(?:\b|\\n)(?:curl|wget|etcdctl)\b[^\n|;]{0,300}?["',\s](?:-[A-Za-z]{0,8}[uU]|--user|--proxy-user)["',\s\\=]{0,6}[^\s:'"\\]*:([^\s'"\\]+)|(?:\b|\\n)(?:http|ab)\s+-[aA]["',\s\\]{1,6}[^\s:'"\\]*:([^\s'"\\]+)|(?:\b|\\n)(?:smb|rpc)client\b[^\n|;]{0,200}?["',\s]-U["',\s\\]{0,6}[^\s%'"\\]*%([^\s'"\\]+)|\blftp\b[^\n|;]{0,200}?["',\s]-u["',\s\\]{0,6}[^\s,'"\\]+,([^\s'"\\]+)"#,
        Check::Value,
    ),
    rule(
        "cookie",
        &["curl"],
        r#"(?:\b|\\n)curl\b[^\n|;]{0,300}?["',\s](?:-b|--cookie)["',\s\\=]{1,6}[^\s=;'"\\]+=([^\s;'"\\]{8,})"#,
        Check::Mixed,
    ),
    rule(
        "cli-password",
        &["htpasswd", "rabbitmqctl", "http-basic", "net use", "/p:"],
        r#"(?:\b|\\n)htpasswd["',\s\\]{1,6}(?:-\w*nb\w*|-\w*bn\w*)["',\s\\]{1,6}[^\s"',\\]+["',\s\\]{1,6}([^\s"'\\]+)|(?:\b|\\n)htpasswd["',\s\\]{1,6}(?:-\w+["',\s\\]{1,6}){0,4}-\w*b\w*["',\s\\]{1,6}(?:-\w+["',\s\\]{1,6}){0,4}[^\s"',\\]+["',\s\\]{1,6}[^\s"',\\]+["',\s\\]{1,6}([^\s"'\\]+)|(?:\b|\\n)rabbitmqctl\b[^\n|;]{0,80}?(?:add_user|change_password|authenticate_user)["',\s\\]{1,6}[^\s"',\\]+["',\s\\]{1,6}([^\s"'\\]+)|\bhttp-basic\.[^\s"',]+["',\s\\]{1,6}[^\s"',\\]+["',\s\\]{1,6}([^\s"'\\]+)|\bnet(?:\.exe)?\s+user\s+[^\s/]+\s+([^\s"'\\/*]+)|\bnet(?:\.exe)?\s+use\b[^\n|;]{0,120}?/user:\S+\s+([^\s"'\\/*]+)|\bw?l?x?freerdp\d?\b[^\n|;]{0,200}?\s/p:([^\s"'\\]+)"#,
        Check::Argument,
    ),
    rule(
        "cli-password",
        &["sqlplus", "expdp", "impdp", "sqlldr", "oracle:thin:"],
        r#"(?:\b(?:sqlplus|expdp|impdp|sqlldr)\b[^\n|;]{0,80}?["',\s]|oracle:thin:)[\w$#]+/([^\s@"'\\/]+)(?:[@\s"'\\]|$)"#,
        Check::Value,
    ),
    rule(
        "cli-password",
        &["openssl"],
        r#"(?:\b|\\n)openssl\b[^\n|;]*?\s-[kK]\s+([^\s'"]+)"#,
        Check::Value,
    ),
    rule("cli-password", &["pass:"], r#"(?:\b|\\n)pass:([^\s'",]{6,})"#, Check::Value),
    rule(
        "cli-password",
        &["sudo -s", "pass", "--stdin", "-stdin", "kinit", "cryptsetup", "secret create", "| su "],
        r#"(?:\b|\\n)(?:echo|printf)\s+(?:-\w+\s+)?(?:\\?["']%s(?:\\+n)?\\?["']\s+)?\\?["']?[\w.-]+:([^'"|\\]+?)\\?["']?\s*\|\s*(?:sudo\s+)?(?:/usr/sbin/)?chpasswd|(?:\b|\\n)(?:echo|printf)\s+(?:-\w+\s+)?(?:\\?["']%s(?:\\+n)?\\?["']\s+)?\\?["']?([^'"|\\]+?)\\?["']?\s*\|\s*(?:sudo\s+-S|(?:sudo\s+)?[^\n|;]{0,120}?(?:--password-stdin|--stdin\b|--passphrase-fd|\bkinit\b|\bcryptsetup\b|\b(?:smb|vnc)?passwd\b|\bsecret\s+create\b|\bsu\s+-))|\becho\s+(?:-n\s+)?\\?["']([^"'\\]+)\\?["']\s*>\s*\S*pass"#,
        Check::Value,
    ),
    rule(
        "cli-password",
        &["<<<"],
        r#"(?:\b|\\n)(?:kinit|passwd|chpasswd|smbpasswd|vncpasswd|sudo|login|cryptsetup|gpg)\b[^\n|;]{0,80}?<<<\s*\\?['"]?([^\s'"\\]+)"#,
        Check::Value,
    ),
    rule(
        "cli-password",
        &[
            "secret set",
            "secrets set",
            "from-literal",
            "vault login",
            "operator unseal",
            "authtoken",
        ],
        r#"(?:\b|\\n)secrets?\s+set\s[^\n|;]{0,80}?(?:--body|--value|-b)["',\s\\=]{1,6}([^\s"'\\-][^\s"'\\]*)|--from-literal["',\s\\=]{1,6}[^=\s"']+=([^\s"'\\]+)|(?:\b|\\n)(?:vault\s+login|operator\s+unseal|authtoken)["',\s\\]{1,6}([^\s"'\\=-][^\s"'\\=]{15,})"#,
        Check::Argument,
    ),
    rule(
        "argv-password",
        &["\"-u\"", "'-u'", "\"--user\"", "\"-p", "'-p"],
        r#"["'](?:-u|--user)\\?["'],\s*\\?["'][^"':\\]*:([^"'\\]+)|["']-p\\?["'],\s*\\?["']([^"':\\]+)|["']-p([^"'\s,\\]*[^"'\s,\\a-z][^"'\s,\\]*)\\?["']"#,
        Check::Argument,
    ),
];
