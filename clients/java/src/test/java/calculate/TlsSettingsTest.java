package calculate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.util.Base64;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What cannot be right about TLS is refused before anything is sent, in words that name it. */
class TlsSettingsTest {
  private static final Path CA = Certificates.certificate("ca");
  private static final Path ALICE = Certificates.certificate("alice");
  private static final Path ALICE_KEY = Certificates.key("alice");

  @TempDir private Path folder;

  @Test
  void a_file_that_is_not_there_is_named() {
    Path missing = folder.resolve("missing.pem");
    String says = " file '" + missing + "': it cannot be read (no such file or directory)";
    assertRefused("tls: the ca" + says, () -> Tls.ca(missing));
    assertRefused(
        "tls: the certificate" + says, () -> Tls.ca(CA).withCertificate(missing, ALICE_KEY));
    assertRefused("tls: the key" + says, () -> Tls.ca(CA).withCertificate(ALICE, missing));
  }

  @Test
  void a_folder_is_no_file() {
    assertRefused("': it cannot be read (is a directory)", () -> Tls.ca(folder));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "hello\n",
        "-----BEGIN CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nMIIB\n",
        "-----BEGIN RSA PUBLIC KEY-----\nMIIB\n-----END RSA PUBLIC KEY-----\n"
      })
  void what_holds_no_certificate_is_refused(String text) throws Exception {
    Path file = write(text);
    String says = "file '" + file + "': it does not hold certificates in PEM form";
    assertRefused("tls: the ca " + says, () -> Tls.ca(file));
    assertRefused(
        "tls: the certificate " + says, () -> Tls.ca(CA).withCertificate(file, ALICE_KEY));
  }

  @Test
  void a_key_is_no_certificate_and_the_reverse() {
    assertRefused("does not hold certificates", () -> Tls.ca(ALICE_KEY));
    assertRefused(
        "it does not hold a private key in PEM form",
        () -> Tls.ca(CA).withCertificate(ALICE, ALICE));
  }

  @Test
  void broken_certificates_are_refused() throws Exception {
    String good = Files.readString(ALICE);
    String says = "it holds a certificate that is broken";
    Path garbled = write(good.replace("M", "?"));
    assertRefused(says, () -> Tls.ca(garbled));
    Path shorter = write(good.replaceFirst("\n.*\n", "\n"));
    assertRefused(says, () -> Tls.ca(shorter));
    Path second = write(good + "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
    assertRefused(says, () -> Tls.ca(second));
    Path cut = write(good + good.substring(0, good.length() / 2));
    assertRefused("it is cut off", () -> Tls.ca(cut));
  }

  @Test
  void a_broken_key_is_refused() throws Exception {
    String good = Files.readString(ALICE_KEY);
    Path shorter = write(good.replaceFirst("\n.*\n", "\n"));
    assertRefused("its key is broken", () -> Tls.ca(CA).withCertificate(ALICE, shorter));
    Path unknown = write(pem("PRIVATE KEY", new byte[40]));
    assertRefused(
        "its key is broken, or of a kind other than EC, RSA and Ed25519",
        () -> Tls.ca(CA).withCertificate(ALICE, unknown));
  }

  @Test
  void the_key_of_another_certificate_is_refused() {
    Path key = Certificates.key("bob");
    assertRefused(
        "tls: the key file '" + key + "': it is not the key of the certificate in '" + ALICE + "'",
        () -> Tls.ca(CA).withCertificate(ALICE, key));
  }

  @ParameterizedTest
  @CsvSource({
    "RSA PRIVATE KEY, 'its key is an RSA PRIVATE KEY, not in PKCS#8'",
    "EC PRIVATE KEY, 'its key is an EC PRIVATE KEY, not in PKCS#8'",
    "ENCRYPTED PRIVATE KEY, it is encrypted",
  })
  void a_key_in_another_form_is_refused_with_the_command_that_converts_it(String label, String says)
      throws Exception {
    Path key = write(pem(label, new byte[40]));
    assertRefused(
        "': " + says + "; convert it: openssl pkey -in " + key + " -out NEW.key",
        () -> Tls.ca(CA).withCertificate(ALICE, key));
  }

  @Test
  void a_key_that_is_encrypted_in_the_old_way_is_told() throws Exception {
    String text =
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nMIIB\n"
            + "-----END RSA PRIVATE KEY-----\n";
    Path key = write(text);
    assertRefused("': it is encrypted; ", () -> Tls.ca(CA).withCertificate(ALICE, key));
  }

  @ParameterizedTest
  @ValueSource(strings = {"RSA", "EC", "Ed25519"})
  void keys_of_these_kinds_are_read(String algorithm) throws Exception {
    KeyPair pair = KeyPairGenerator.getInstance(algorithm).generateKeyPair();
    Path file = write("a comment\n" + pem("PRIVATE KEY", pair.getPrivate().getEncoded()));
    assertEquals(pair.getPrivate(), new Pem("key", file).key());
  }

  @Test
  void certificates_and_key_may_share_a_file_with_other_text() throws Exception {
    Path all =
        write(
            "subject: alice\r\n"
                + Files.readString(ALICE_KEY)
                + Files.readString(ALICE).replace("\n", "\r\n")
                + Files.readString(CA));
    assertEquals(2, new Pem("certificate", all).certificates().size());
    Tls.ca(all).withCertificate(all, all);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a b", "host:9090", "[::1]", "*.example", "a/b", ":", "user@host"})
  void a_server_name_that_can_be_none_is_refused(String name) {
    assertRefused(
        "tls: the server name '" + name + "' is neither a DNS name nor an IP address",
        () -> Tls.ca(CA).withServerName(name));
  }

  @ParameterizedTest
  @CsvSource({
    "localhost, false",
    "calculate.example, false",
    "127.0.0.1, true",
    "::1, true",
    "1.example, false"
  })
  void a_server_name_is_a_dns_name_or_an_address(String name, boolean address) {
    assertEquals(name, ServerName.checked(name));
    assertEquals(address, ServerName.isAddress(name));
    assertEquals(address, ServerName.indication(name).isEmpty());
  }

  @ParameterizedTest
  @CsvSource({
    "localhost:1, localhost",
    "localhost.:1, localhost",
    "[fe80::1%eth0]:1, fe80::1",
    "127.0.0.1:1, 127.0.0.1"
  })
  void a_host_is_checked_without_its_zone_and_its_last_dot(String target, String name) {
    assertEquals(name, ServerName.of(Target.parse(target)));
  }

  @Test
  void a_host_that_no_certificate_can_be_for_is_refused_before_anything_is_tried() {
    Options options = Certificates.with(Certificates.trusting());
    assertRefused(
        "tls: the server name 'my_server' is neither",
        () -> CalculateClient.connect("my_server:9090", options));
  }

  @Test
  void a_unix_socket_needs_a_server_name() {
    Options options = Certificates.with(Certificates.trusting());
    assertRefused(
        "tls: unix:/run/calculate.sock has no host that the certificate could be for; give the server name",
        () -> CalculateClient.connect("unix:/run/calculate.sock", options));
  }

  @Test
  void a_context_and_files_do_not_go_together() throws Exception {
    Tls own = Tls.context(SSLContext.getDefault());
    assertRefused(
        "tls: a context is given, and files besides", () -> own.withCertificate(ALICE, ALICE_KEY));
  }

  @Test
  void a_change_is_a_copy() {
    Options plain = Options.defaults();
    assertTrue(plain.withTls(Tls.ca(CA)).tls().isPresent());
    assertFalse(plain.tls().isPresent());
  }

  private Path write(String text) throws Exception {
    return Files.writeString(Files.createTempFile(folder, "", ".pem"), text);
  }

  private static String pem(String label, byte[] content) {
    return "-----BEGIN "
        + label
        + "-----\n"
        + Base64.getMimeEncoder().encodeToString(content)
        + "\n-----END "
        + label
        + "-----\n";
  }

  private static void assertRefused(String says, Executable setting) {
    IllegalArgumentException error = assertThrows(IllegalArgumentException.class, setting);
    assertTrue(error.getMessage().contains(says), error.getMessage());
    assertEquals(1, error.getMessage().lines().count());
  }
}
