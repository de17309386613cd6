//! For every rule texts with a secret in its shape, and texts that look alike and must stay.
//!
//! Secrets are made here, from their alphabet and length, so that nothing in this file looks like a live token.

use std::collections::BTreeSet;

use super::Redactor;
use super::rules::{self, COMPILED};
use super::span::KNOWN_VALUE;

/// A rule and a text: `<a24>` stands for 24 letters and digits, `<U…>` for base32, `<x…>` for hex, `<h…>` for words with hyphens.
#[rustfmt::skip]
const LEAKS: &[(&str, &str)] = &[
    ("github-token", "##[error]bad credentials: ghp_<a36>, next"),
    ("github-token", "x ghs_123456_eyJ<a30>.<a60>.<a40> y"),
    ("fine-grained-token", "GH: github_pat_<a22>_<a59>"),
    ("jwt", "id eyJ<a20>.eyJ<a60>.<a43> now"),
    ("aws-access-key", "key AKIA<U16> is not valid"),
    ("aws-session-token", "IQoJb3JpZ2luX2Vj<a120>"),
    ("url-parameter", "GET https://host/x?private_token=<a20>&page=2"),
    ("url-parameter", "POST /hook?auth=<a20>"),
    ("azure-key", "AccountName=acme;AccountKey=<a86>=="),
    ("azure-key", "id abc8Q~<a34> rejected"),
    ("gcp-key", "using AIza<a35> for maps"),
    ("private-key", "KEY_B64=LS0tLS1CRUdJTiBQUklWQVRF<a64>"),
    ("private-key", "a | -----BEGIN OPENSSH PRIVATE KEY-----\na | <a64>\na | <a64>"),
    ("url-password", "amqp://shop:<a14>@mq:5672/%2f refused"),
    ("url-token", "remote: https://<a40>@host/acme/shop.git"),
    ("dsn-password", "shop:<a14>@tcp(db:3306)/shop"),
    ("auth-header", "map[Authorization:[Bot <a24>] Accept:[*/*]]"),
    ("auth-header", "'Authorization' => 'Custom7x <a24>'"),
    ("bearer-token", "sent bearer <a30> to host"),
    ("basic-auth", "sent basic <a32> to host"),
    ("key-header", "> X-Gitlab-Token: <a24>"),
    ("cookie", "Cookie: lang=en; theme=dark; PHPSESSID=<a26>"),
    ("cookie", "GET https://host/x?a=b&session_id=<a24>&c=d"),
    ("cookie", "curl -sb 'x' --cookie sid=<a26> https://host"),
    ("cli-password", "mysql -h db -uroot -p<a14> shop"),
    ("cli-password", "[\"mysqldump\", \"-uroot\", \"-p<a14>\", \"shop\"]"),
    ("cli-password", "docker login -u ann -p <a14> registry"),
    ("cli-password", "sshpass -p<a14> ssh ann@host"),
    ("cli-password", "redis-cli -h cache -p 6379 -a <a14> ping"),
    ("cli-password", "ldapsearch -x -D cn=admin -w <a14> -b dc=acme"),
    ("cli-password", "curl -sSf -u ann:<a14> https://host"),
    ("cli-password", "['smbclient', '//srv/x', '-U', 'ann%<a14>']"),
    ("cli-password", "htpasswd -bc /etc/nginx/users ann <a14>"),
    ("cli-password", "rabbitmqctl change_password ann <a14>"),
    ("cli-password", "sqlplus ann/<a14>@db:1521/XE"),
    ("cli-password", "openssl enc -d -aes-256-cbc -in x -k <a14>"),
    ("cli-password", "openssl rsa -in k -passin pass:<a14>"),
    ("cli-password", "{\"cmd\": \"echo 'ann:<a14>' | chpasswd\"}"),
    ("cli-password", "echo <a14> | docker login -u ann --password-stdin"),
    ("cli-password", "kinit ann <<< <a14>"),
    ("cli-password", "gh secret set DB --body <a14>"),
    ("argv-password", "cmd=['tool', '-u', 'ann:<a14>']"),
    ("sql-password", "ALTER USER ann IDENTIFIED WITH native BY '<a14>'"),
    ("sql-password", "SET PASSWORD FOR 'ann'@'%' = PASSWORD('<a14>')"),
    ("sentence", "A temporary password is generated for root@localhost: <a14>"),
    ("sentence", "Unseal Key 1: <a44>"),
    ("credential-pair", "requests.get(url, auth=('ann', '<a14>'))"),
    ("config-value", "\"requirepass\" \"<a14>\""),
    ("password-hash", "ann:$6$<a8>$<a86>:19000:0"),
    ("netrc", "default login ann password <a14>"),
    ("pgpass", "db1:5432:*:ann:<a14>"),
    ("webhook", "POST https://discord.com/api/webhooks/123456789012345678/<a68>"),
    ("telegram-token", "bot 123456789:AA<a33>"),
    ("discord-token", "discord bot MTIz<a20>.<a6>.<a38>"),
    ("vendor-token", "token glpat-<a20>"),
    ("vendor-token", "publish with npm_<a36> failed"),
    ("vendor-token", "charge by sk_live_<a24> failed"),
    ("vendor-token", "state in pul-<x40>"),
    ("vendor-token", "lease hvs.<a90> revoked"),
    ("vendor-token", "model sk-proj-<a60>"),
    ("vendor-token", "call by SK<x32>"),
    ("registry-auth", "{\\\"auth\\\": \\\"<a32>\\\"}"),
    ("kube-key", "    client-key-data: <a200>"),
    ("rsa-parameter", "{\"n\": \"x\", \"d\": \"<a171>\"}"),
    ("keyed-value", "DB_PASSWORD: '<h3>'"),
    ("keyed-value", "failed: [web1] (item={'user': 'a', 'pw': '<a8>'})"),
    ("keyed-value", "<db_password><h3></db_password>"),
    ("keyed-value", "| API_TOKEN | <a20> |"),
    ("keyed-value", "ENV POSTGRES_PASSWORD <h3>"),
    ("keyed-value", "access_token: Some(\"<a20>\")"),
    ("keyed-value", "setProperty(\"db.password\", \"<a14>\")"),
    ("keyed-value", "sh -c 'DB_PASSWORD='\"'\"'<a10>#!'\"'\"' run'"),
    ("keyed-value", "api_token=ORCHID-<h2>-token"),
    ("keyed-value", "{\"option\": \"password\", \"section\": \"db\", \"value\": \"<h3>\"}"),
    ("cli-flag", "deployctl --api-token <a20> --force"),
    ("ansible-vault", "db: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  <x80>\n  <x80>"),
    ("next-line", "Use this password to proceed to installation:\n\n<a32>"),
    ("next-line", "    \"option\": \"password\",\n    \"section\": \"db\",\n    \"value\": \"<h3>\""),
    ("next-line", "- name: DB_PASSWORD\n  value: set-<a14>"),
    ("next-line", "machine host\n  login ann\n  password <h3>"),
    ("next-line", "cmd:\n  - docker\n  - login\n  - -p\n  - <a14>"),
    ("next-line", "a - --passphrase\na - <a14>"),
    ("kube-data", "apiVersion: v1\nkind: Secret\ndata:\n  user: <a24>"),
    ("kube-data", "{\"out\": \"apiVersion: v1\\nkind: Secret\\nstringData:\\n  user: <h3>\\n\"}"),
];

/// A rule and a text that it must leave as it is.
#[rustfmt::skip]
const NEAR_MISSES: &[(&str, &str)] = &[
    ("github-token", "token ghp_example is too short"),
    ("fine-grained-token", "tokens begin with github_pat_ or ghp_"),
    ("jwt", "eyJhbGciOiJub25lIn0 is a header alone"),
    ("aws-access-key", "access keys begin with AKIA or ASIA"),
    ("aws-session-token", "IQoJb3JpZ2luX2Vj is how it begins"),
    ("url-parameter", "GET /x?sv=2025-05-05&se=2026-11-21&sp=r&token_type=bearer"),
    ("azure-key", "SharedAccessKeyName=RootManageSharedAccessKey"),
    ("gcp-key", "keys begin with AIza, tokens with ya29."),
    ("private-key", "-----BEGIN CERTIFICATE-----"),
    ("url-password", "scheme://[user:password]@proxy.server:port"),
    ("url-token", "https://deploy@bitbucket.org/acme/shop.git"),
    ("dsn-password", "shop@tcp(db:3306)/shop"),
    ("auth-header", "Add `AsyncRequireAuthorization::layer`; authorization: denied"),
    ("bearer-token", "the bearer token is missing"),
    ("basic-auth", "with basic authentication"),
    ("key-header", "x-request-id: 8b52d5ce-0e46-688f-94ee-4551289e6aa2"),
    ("cookie", "Cookie: theme=dark"),
    ("cli-password", "docker run -p 8080:80 web && redis-cli -p 6379 ping"),
    ("cli-password", "mysql -h db -u root -p shop"),
    ("cli-password", "ssh login -p 2222; mkdir -p build/output"),
    ("argv-password", "argv: [\"-parallel\", \"-p\", \"8080:80\"]"),
    ("sql-password", "the blob identified by \"SHA1\", the process identified by the PID"),
    ("sentence", "a password is required; the token is expired; the key was not found"),
    ("credential-pair", "login(user, password) and auth=(\"user\", \"${PASSWORD}\")"),
    ("config-value", "requirepass ${REDIS_PASSWORD}"),
    ("password-hash", "s/$1$2$3/ and $6 were paid"),
    ("netrc", "machine host login ann password ${NEXUS_PASSWORD}"),
    ("pgpass", "listening on 0.0.0.0:5432: 3 clients"),
    ("webhook", "POST https://hooks.slack.com/ failed"),
    ("telegram-token", "12:34:AA and 123456789:AA"),
    ("discord-token", "bot token in com.acme.discord.Client"),
    ("vendor-token", "glpat-xxx and npm_config_cache=/root/.npm"),
    ("registry-auth", "{\"auth\": {\"enabled\": true}}"),
    ("kube-key", "certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t"),
    ("rsa-parameter", "{\"d\": \"2026-11-20\", \"p\": \"a\"}"),
    ("keyed-value", "%ADMIN ALL=(ALL) NOPASSWD: ALL"),
    ("keyed-value", "PASS: test_login_7 and pass=12 fail=0"),
    ("keyed-value", "login_password: your_password, auth_secret: shop-db"),
    ("keyed-value", "Selecting previously unselected package libsecret-1-0:amd64."),
    ("keyed-value", "| token | The token of the user | no |"),
    ("keyed-value", "cat secrets | grep password | head"),
    ("keyed-value", "-u, --user <user:password> Server user and password"),
    ("cli-flag", "  -W, --password           force password prompt"),
    ("ansible-vault", "$ANSIBLE_VAULT;1.1;AES256"),
    ("next-line", "public key:\n  id: 9FED2BCBDCD29CDF762678CBAED4B06F473041FA"),
    ("cookie", "GET https://broker/message?sessionId=06799ac3-c641-6530-d6ee-4bdb2527b6fa&status=Online"),
    ("next-line", "  \"name\": \"DEPLOY_KEY\",\n  \"value\": \"present (handed in)\""),
    ("next-line", "  \"name\": \"DEPLOY_KEY\",\n  \"value\": \"cannot be known here (403)\""),
    ("next-line", "- name: DB_PASSWORD\n  value: missing"),
    ("next-line", "mkdir\n  - -p\n  - build/output"),
    ("kube-data", "apiVersion: v1\ndata:\n  level: information\nkind: ConfigMap"),
];

/// The text with its holes filled, and what they were filled with.
fn filled(template: &str) -> (String, Vec<String>) {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = move |count: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % count
    };
    let mut made = |kind: char, width: usize| -> String {
        let alphabet = match kind {
            'U' => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
            'x' => "0123456789abcdef",
            'h' => "bdfgklmnprstvz",
            _ => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        };
        let letters: Vec<char> = alphabet.chars().collect();
        let mut letter = || letters[random(letters.len())];
        match kind {
            'h' => {
                let word = |l: &mut dyn FnMut() -> char| {
                    (0..3).flat_map(|_| [l(), 'o']).collect::<String>()
                };
                (0..width).map(|_| word(&mut letter)).collect::<Vec<_>>().join("-")
            }
            // A digit, a capital and a small letter, so that no word is made by chance.
            'a' => (0..width)
                .map(|at| match at % 6 {
                    1 => '7',
                    2 => 'Q',
                    3 => 'w',
                    _ => letter(),
                })
                .collect(),
            _ => (0..width).map(|_| letter()).collect(),
        }
    };
    let mut text = String::new();
    let mut secrets = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find('<') {
        let (before, hole) = rest.split_at(at);
        text.push_str(before);
        let spec = hole[1..].split('>').next().unwrap();
        let width = spec.get(1..).and_then(|digits| digits.parse().ok());
        if let Some(width) = width.filter(|_| spec.starts_with(['a', 'U', 'x', 'h'])) {
            secrets.push(made(spec.chars().next().unwrap(), width));
            text.push_str(secrets.last().unwrap());
            rest = &hole[spec.len() + 2..];
        } else {
            text.push('<');
            rest = &hole[1..];
        }
    }
    text.push_str(rest);
    (text, secrets)
}

fn survives(secret: &str, out: &str) -> bool {
    let width = secret.len().min(6);
    (0..=secret.len() - width).any(|at| out.contains(&secret[at..at + width]))
}

#[test]
fn every_rule_hides_its_secret_and_leaves_its_near_miss() {
    let redactor = Redactor::new(&[]);
    for (rule, template) in LEAKS {
        let (text, secrets) = filled(template);
        let (out, counts) = redactor.redact_counted(&text);
        assert!(!secrets.is_empty(), "{template}");
        for secret in &secrets {
            assert!(!survives(secret, out.as_str()), "{rule}: {text} -> {out}");
        }
        assert!(counts.contains_key(*rule), "{rule}: {text} -> {counts:?}");
    }
    for (rule, text) in NEAR_MISSES {
        assert_eq!(redactor.redact(text).as_str(), *text, "{rule}");
    }
    let all: BTreeSet<&str> = rules::ids().filter(|id| *id != KNOWN_VALUE).collect();
    let hidden: BTreeSet<&str> = LEAKS.iter().map(|(rule, _)| *rule).collect();
    let left: BTreeSet<&str> = NEAR_MISSES.iter().map(|(rule, _)| *rule).collect();
    assert_eq!(hidden, all);
    assert_eq!(left, all);
}

#[test]
fn every_row_of_the_table_finds_one_of_the_secrets_of_its_rule() {
    for row in COMPILED.iter() {
        let of_rule = LEAKS.iter().filter(|(rule, _)| *rule == row.rule.id);
        let mut texts = of_rule.map(|(_, template)| filled(template).0);
        let keyword = |text: &str| {
            let lower = text.to_ascii_lowercase();
            row.rule.keywords.iter().any(|word| lower.contains(word))
        };
        assert!(
            texts.any(|text| keyword(&text) && row.shape.is_match(text.as_bytes())),
            "{}: {:?}",
            row.rule.id,
            row.rule.keywords
        );
    }
}

#[test]
fn a_hostile_line_costs_no_more_than_its_length() {
    let redactor = Redactor::new(&[]);
    for unit in [
        "a",
        "password=",
        "curl -u ",
        "echo ",
        "\"value\", ",
        "apiVersion:\\n",
        "htpasswd -b ",
        "pw: ",
    ] {
        let text = unit.repeat(16 * 1024 / unit.len());
        let out = redactor.redact(&text);
        assert_eq!(redactor.redact(out.as_str()), out, "{unit}");
    }
}
