/// A certificate for `localhost` that nobody trusts unless told to, with its key; valid for a hundred years and good for nothing else.
enum TestCertificate {
    static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBlDCCATqgAwIBAgITbJQI1Lqx7BoHZvyS7kTH77CVOzAKBggqhkjOPQQDAjAU
        MRIwEAYDVQQDDAlsb2NhbGhvc3QwIBcNMjYxMTIyMDgzMDAzWhgPMjEyNjEwMjkw
        ODMwMDNaMBQxEjAQBgNVBAMMCWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49
        AwEHA0IABKZvyebOn0HeMHqUUmxXr9s84ixtAB69bYwnRIkcDzQLTzt6hk20FFb/
        S1kZplXBd95ew3IfZkHhSlNe7i2lyIqjaTBnMB0GA1UdDgQWBBSvCjtHT9C00u5l
        rh1+qS+oaq/xUDAfBgNVHSMEGDAWgBSvCjtHT9C00u5lrh1+qS+oaq/xUDAPBgNV
        HRMBAf8EBTADAQH/MBQGA1UdEQQNMAuCCWxvY2FsaG9zdDAKBggqhkjOPQQDAgNI
        ADBFAiEAxd4/RZXp93p1ip1NvSSQOvMKuC43cYbhw7vpwscBjJICICYo7adYeVPM
        +06EEZr1j+fvrx/GTeV2jhg/EYFh+OLW
        -----END CERTIFICATE-----
        """

    static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgz4O6e1pE08ITetzf
        eBdHcZU/zFvZNh32ROngJQxjTCOhRANCAASmb8nmzp9B3jB6lFJsV6/bPOIsbQAe
        vW2MJ0SJHA80C087eoZNtBRW/0tZGaZVwXfeXsNyH2ZB4UpTXu4tpciK
        -----END PRIVATE KEY-----
        """
}
