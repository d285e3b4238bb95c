//! The wallet, certificate and compatibility commands, as a person or a script runs them.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const PASSWORD: &str = "correct horse battery 7";

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.write("password", PASSWORD);
        place
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    fn run_as(&self, program: &Path, arguments: &[&str], input: &str) -> Output {
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(self.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that refuses its arguments does not read its input.
        drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
        child.wait_with_output().unwrap()
    }

    fn run(&self, arguments: &str) -> Output {
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        self.run_as(Path::new(env!("CARGO_BIN_EXE_twinlock")), &arguments, "")
    }

    /// Standard output of a command that must succeed.
    fn ok(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments}: {}", stderr(&output));
        stdout(&output)
    }

    /// Exit code and standard error of a command that must fail.
    fn fails(&self, arguments: &str) -> (i32, String) {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{arguments} succeeded: {}", stdout(&output));
        (output.status.code().unwrap(), stderr(&output))
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn secrets_go_in_and_come_out() {
    let place = Place::new();
    place.ok("wallet create w --password-file password --auto-login --compat");
    place.write("value", "s3cret value\n");
    place.ok("wallet set-secret w api.token --value-file value --password-file password");
    assert_eq!(place.ok("wallet get-secret w api.token"), "s3cret value\n");
    assert_eq!(place.ok("wallet list w"), "api.token\n");
    assert_eq!(place.ok("wallet list w --output json").parse::<Value>().unwrap()[0], "api.token");
    place.ok("wallet set-credential w sales scott --value-file value --password-file password");
    assert_eq!(place.ok("wallet get-secret w oracle.security.client.username1"), "scott\n");
    place.ok("wallet delete-secret w api.token --password-file password");
    let (code, told) = place.fails("wallet delete-secret w api.token --password-file password");
    assert_eq!(code, 1);
    assert!(told.contains("no secret named \"api.token\"") && told.contains("nothing was changed"), "{told}");
    for file in ["w/ewallet.p12", "w/cwallet.sso"] {
        assert_eq!(mode(&place.path().join(file)), 0o600);
    }
}

#[test]
fn show_prints_no_secret_unless_asked() {
    let place = Place::new();
    place.ok("wallet create w --auto-login-only");
    place.write("value", "s3cret");
    place.ok("wallet set-secret w name --value-file value");
    for form in ["", " --output json"] {
        let shown = place.ok(&format!("wallet show w{form}"));
        assert!(shown.contains("name") && !shown.contains("s3cret"), "{shown}");
        assert!(shown.contains("obfuscation, not protection"), "{shown}");
        assert!(place.ok(&format!("wallet show w --reveal{form}")).contains("s3cret"));
    }
}

#[test]
fn password_is_changed_and_the_old_one_refused() {
    let place = Place::new();
    place.ok("wallet create w --password-file password");
    let shown = place.ok("wallet show w --password-file password");
    assert!(shown.contains("600000 iterations (authentication code: 1200000)"), "{shown}");
    place.write("new", "another long password 8");
    place.ok("wallet change-password w --password-file password --new-password-file new --iterations 20000");
    let (code, told) = place.fails("wallet show w --password-file password");
    assert_eq!(code, 4, "{told}");
    assert!(told.contains("wrong password"), "{told}");
    assert!(
        place
            .ok("wallet show w --password-file new")
            .contains("20000 iterations (authentication code: 40000)")
    );
}

#[test]
fn password_comes_from_a_file_descriptor() {
    let place = Place::new();
    let program = Path::new(env!("CARGO_BIN_EXE_twinlock"));
    let output = place.run_as(program, &["wallet", "create", "w", "--password-fd", "0"], PASSWORD);
    assert!(output.status.success(), "{}", stderr(&output));
    place.ok("wallet show w --password-file password");
    let (code, told) = place.fails("wallet create v");
    assert_eq!(code, 2, "{told}");
    assert!(told.contains("no terminal") && told.contains("--password-file"), "{told}");
    assert!(!place.path().join("v").exists());
}

#[test]
fn weak_password_is_warned_about_and_compat_says_what_it_costs() {
    let place = Place::new();
    place.write("weak", "Ab1");
    let told = stderr(&place.run("wallet create w --password-file weak --compat"));
    assert!(
        told.contains("weak") && told.contains("10,000 iterations") && told.contains("sixtieth"),
        "{told}"
    );
}

#[test]
fn certificates_of_a_pair_are_ready_for_replication() {
    let place = Place::new();
    let made =
        place.ok("certs create --dir c --name repltls --san db.example.com --valid-days 90 --curve p384");
    assert!(made.contains("c/serverWallet/cwallet.sso (server)"), "{made}");
    for name in ["repltls", "db.example.com", "localhost", "127.0.0.1", "::1"] {
        let checked = place.ok(&format!("wallet check c/serverWallet --peer {name}"));
        assert!(checked.contains("89 days left") && checked.contains("ready for replication"), "{checked}");
    }
    let (code, told) = place.fails("wallet check c/clientWallet --purpose exporter --output json");
    assert_eq!(code, 3);
    assert!(told.contains("not ready for exporter"), "{told}");

    let before = fs::read(place.path().join("c/serverWallet/cwallet.sso")).unwrap();
    let (_, told) = place.fails("certs create --dir c --name repltls");
    assert!(told.contains("c/rootWallet/cwallet.sso exists already") && told.contains("--force"), "{told}");
    assert_eq!(fs::read(place.path().join("c/serverWallet/cwallet.sso")).unwrap(), before);
}

#[test]
fn certificate_is_exported_and_the_key_only_if_asked() {
    let place = Place::new();
    place.ok("certs create --dir c --name db1");
    assert_eq!(place.ok("wallet export c/serverWallet --to pem"), "pem/ca.pem\npem/cert.pem\n");
    let (_, told) = place.fails("wallet export c/serverWallet --to pem --key");
    assert!(told.contains("exists already"), "{told}");
    assert!(!place.path().join("pem/key.pem").exists());
    place.ok("wallet export c/serverWallet --to pem --key --force");
    assert_eq!(mode(&place.path().join("pem/key.pem")), 0o600);

    place.ok("wallet create w --auto-login-only");
    place.ok("wallet add-identity w --cert pem/cert.pem --key pem/key.pem");
    place.ok("wallet add-trusted w pem/ca.pem");
    place.ok("wallet check w --peer db1");
}

#[test]
fn request_is_signed_renewed_and_revoked() {
    let place = Place::new();
    place.ok("certs create --dir c --name db1");
    place.ok("wallet create w --auto-login-only");
    let request = place.ok("certs request w --name db2 --san db2.example.com");
    place.write("request.pem", &request);
    place.write("db2.pem", &place.ok("certs sign request.pem --root c/rootWallet --valid-days 20"));
    place.ok("wallet export c/rootWallet --to root");
    place.ok("wallet add-identity w --cert db2.pem");
    place.ok("wallet add-trusted w root/ca.pem");
    let checked = place.ok("wallet check w --peer db2.example.com");
    assert!(checked.contains("warning") && checked.contains("expires in 19 days"), "{checked}");

    place.ok("certs renew w --root c/rootWallet");
    assert!(!place.ok("wallet check w --peer db2.example.com").contains("warning"));

    place.ok("certs revoke --root c/rootWallet --crl crl.pem --reason superseded db2.pem");
    let again = place.ok("certs revoke --root c/rootWallet --crl crl.pem");
    assert!(again.contains("list 2 with 1 revoked"), "{again}");
}

#[test]
fn root_is_changed_over_while_both_are_trusted() {
    let place = Place::new();
    place.ok("certs create --dir old --name db1");
    place.ok("certs create --dir new --name db1");
    place.ok("wallet export new/rootWallet --to newroot");
    place.ok("wallet add-trusted old/serverWallet newroot/ca.pem");
    place.ok("wallet check old/serverWallet");
    place.ok("certs renew old/serverWallet --root new/rootWallet");
    place.ok("wallet check old/serverWallet");
    let shown = place.ok("wallet show old/serverWallet --output json").parse::<Value>().unwrap();
    let roots: Vec<&str> = shown["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["kind"] == "trusted-certificate")
        .map(|entry| entry["serial"].as_str().unwrap())
        .collect();
    assert_eq!(roots.len(), 2);
    place.ok(&format!("wallet remove-trusted old/serverWallet {}", roots[0]));
    place.ok("wallet check old/serverWallet");
}

#[test]
fn files_of_other_tools_are_imported() {
    let place = Place::new();
    let openssl = |arguments: &str| {
        let output =
            Command::new("openssl").args(arguments.split(' ')).current_dir(place.path()).output().unwrap();
        assert!(output.status.success(), "{arguments}: {}", stderr(&output));
    };
    openssl("req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -subj /CN=imported");
    openssl("pkcs12 -export -in c.pem -inkey k.pem -out bundle.p12 -passout file:password");
    place.ok("wallet create w --auto-login-only");
    place.ok("wallet import w bundle.p12 --from-password-file password");
    assert!(place.ok("wallet show w").contains("certificate          CN=imported"));
    place.ok("wallet create v --auto-login-only");
    place.ok("wallet import v w/cwallet.sso");
    assert!(place.ok("wallet show v").contains("private key"));
}

#[test]
fn damaged_and_missing_wallets_are_told_apart() {
    let place = Place::new();
    place.ok("wallet create w --auto-login-only");
    let file = place.path().join("w/cwallet.sso");
    let mut bytes = fs::read(&file).unwrap();
    let last = bytes.len() - 60;
    bytes[last] ^= 1;
    fs::write(&file, &bytes).unwrap();
    let (_, told) = place.fails("wallet show w");
    assert!(told.contains("damaged"), "{told}");
    fs::write(&file, b"nonsense").unwrap();
    let (_, told) = place.fails("wallet show w");
    assert!(told.contains("w/cwallet.sso: malformed auto-login file"), "{told}");
    let (_, told) = place.fails("wallet show nowhere");
    assert!(told.contains("no wallet in nowhere"), "{told}");
}

#[test]
fn programs_that_write_at_once_lose_nothing() {
    let place = Place::new();
    place.ok("wallet create w --password-file password --compat --auto-login");
    place.write("value", "v");
    let running: Vec<_> = (0..8)
        .map(|number| {
            let arguments =
                format!("wallet set-secret w name{number} --value-file value --password-file password");
            Command::new(env!("CARGO_BIN_EXE_twinlock"))
                .args(arguments.split(' '))
                .current_dir(place.path())
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut process in running {
        assert!(process.wait().unwrap().success());
    }
    assert_eq!(place.ok("wallet list w").lines().count(), 8);
    assert_eq!(place.ok("wallet list w --password-file password").lines().count(), 8);
}

fn tools(place: &Place) {
    fs::create_dir(place.path().join("bin")).unwrap();
    place.ok("compat install bin");
}

fn tool(place: &Place, command: &str, input: &str) -> Output {
    let mut words = command.split_whitespace();
    let program = place.path().join("bin").join(words.next().unwrap());
    place.run_as(&program, &words.collect::<Vec<_>>(), input)
}

#[test]
fn mkstore_command_lines_work() {
    let place = Place::new();
    tools(&place);
    let ok = |command: &str, input: &str| {
        let output = tool(&place, command, input);
        assert!(output.status.success(), "{command}: {}", stderr(&output));
        stdout(&output)
    };
    ok("mkstore -wrl w -create", "WElcome##1\nWElcome##1\n");
    ok("mkstore -wrl w -createCredential sales scott", "tiger\ntiger\nWElcome##1\n");
    ok("mkstore -wrl w -createEntry name value", "WElcome##1\n");
    assert!(ok("mkstore -wrl w -listCredential", "WElcome##1\n").contains("1: sales scott"));
    assert_eq!(ok("mkstore -wrl w -viewEntry name", "WElcome##1\n"), "name = value\n");
    ok("mkstore -wrl w -modifyCredential sales scott lion", "WElcome##1\n");
    assert!(ok("mkstore -wrl w -list", "WElcome##1\n").contains("oracle.security.client.password1"));
    ok("mkstore -wrl w -deleteCredential sales", "WElcome##1\n");
    let twice = tool(&place, "mkstore -wrl w -createEntry name other", "WElcome##1\n");
    assert!(!twice.status.success() && stderr(&twice).contains("already"));
    let unknown = tool(&place, "mkstore -wrl w -createUserCredential map key user", "");
    assert_eq!(unknown.status.code(), Some(2));
    assert!(stderr(&unknown).contains("-createUserCredential is not supported"));
}

#[test]
fn orapki_command_lines_work() {
    let place = Place::new();
    tools(&place);
    let ok = |command: &str| {
        let output = tool(&place, command, "");
        assert!(output.status.success(), "{command}: {}", stderr(&output));
        stdout(&output)
    };
    ok("orapki wallet create -wallet ca -pwd WElcome##1 -auto_login");
    ok(
        "orapki wallet add -wallet ca -dn CN=ca,O=Example -asym_alg ECC -eccurve p256 -self_signed -validity 99 -pwd WElcome##1",
    );
    ok("orapki wallet create -wallet w -auto_login_only");
    ok("orapki wallet add -wallet w -dn CN=db1,O=Example -keysize 2048");
    ok("orapki wallet export -wallet w -dn CN=db1,O=Example -request r.pem");
    ok("orapki cert create -wallet ca -request r.pem -cert c.pem -validity 50 -pwd WElcome##1");
    ok("orapki wallet export -wallet ca -dn CN=ca,O=Example -cert ca.pem -pwd WElcome##1");
    ok("orapki wallet add -wallet w -trusted_cert -cert ca.pem");
    ok("orapki wallet add -wallet w -user_cert -cert c.pem");
    ok("orapki wallet create -wallet later -pwd WElcome##1");
    ok("orapki wallet create -wallet later -pwd WElcome##1 -auto_login");
    assert!(place.path().join("later/cwallet.sso").exists());
    let shown = ok("orapki wallet display -wallet w");
    assert!(shown.contains("User Certificates:\nSubject:        CN=db1,O=Example"), "{shown}");
    place.ok("wallet check w");
    for refused in
        ["orapki wallet pkcs12_to_jks -wallet w", "orapki crl list", "orapki wallet create -wallet x -lsso"]
    {
        let output = tool(&place, refused, "");
        assert_eq!(output.status.code(), Some(2), "{refused}");
        assert!(stderr(&output).contains("is not supported"), "{refused}: {}", stderr(&output));
    }
}

#[test]
fn tt_create_certs_command_lines_work() {
    let place = Place::new();
    tools(&place);
    fs::create_dir(place.path().join("conf")).unwrap();
    let made = tool(&place, "ttCreateCerts -dir conf -eccurve p384 -sign_alg ecdsasha384 -validity 100", "");
    assert!(made.status.success(), "{}", stderr(&made));
    assert!(place.ok("wallet check conf/serverWallet").contains("99 days left"));
    let again = tool(&place, "ttCreateCerts -dir conf", "");
    assert!(stderr(&again).contains("exists already"));
    for refused in ["ttCreateCerts -dir conf -dryrun", "ttCreateCerts -dir conf -eccurve p521 -force"] {
        let output = tool(&place, refused, "");
        assert_eq!(output.status.code(), Some(2), "{refused}");
        assert!(stderr(&output).contains("not supported"), "{refused}");
    }
}

#[test]
fn foreign_tools_are_not_replaced() {
    let place = Place::new();
    fs::create_dir(place.path().join("bin")).unwrap();
    place.write("bin/orapki", "not ours");
    let (_, told) = place.fails("compat install bin");
    assert!(told.contains("bin/orapki exists already"), "{told}");
    assert!(!place.path().join("bin/mkstore").exists(), "nothing was changed");
}

#[test]
fn sealed_wallet_opens_without_a_password_and_says_how_it_is_protected() {
    let place = Place::new();
    place.ok("wallet create w --password-file password --compat");
    let told = place.ok("wallet seal w --systemd --password-file password");
    assert_eq!(told, "sealed: host file, same disk: not protected against theft\n");
    let shown = place.ok("wallet show w");
    assert!(shown.contains("sealed: host file, same disk: not protected against theft"), "{shown}");
}
