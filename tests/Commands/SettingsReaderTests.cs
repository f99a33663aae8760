using Microsoft.Extensions.Logging;
using Pelican.Commands;
using Pelican.Transfer;

namespace Pelican.Tests.Commands;

public sealed class SettingsReaderTests
{
    [Test]
    public async Task Without_any_setting_the_documented_defaults_hold()
    {
        using TestShell shell = new();

        Configuration configuration = shell.Configure();

        await Assert.That(configuration.Client).IsEqualTo(new ClientSettings() with { PreferredCaches = configuration.Client.PreferredCaches });
        await Assert.That(configuration.Client.PreferredCaches).IsEmpty();
        await Assert.That(configuration.Warnings).IsEmpty();
    }

    [Test]
    public async Task A_flag_is_stronger_than_the_environment_and_that_than_files()
    {
        using TestShell shell = new();
        shell.Write("config/pelican.yaml", "Federation:\n  DiscoveryUrl: https://file\nClient:\n  WorkerCount: 2\n  DirectorRetries: 3\n");
        shell.Variables["PELICAN_FEDERATION_DISCOVERYURL"] = "https://environment";
        shell.Variables["PELICAN_CLIENT_WORKERCOUNT"] = "7";

        Configuration configuration = shell.Configure(federation: "https://flag");

        await Assert.That(configuration.Client.DiscoveryUrl).IsEqualTo("https://flag");
        await Assert.That(configuration.Client.WorkerCount).IsEqualTo(7);
        await Assert.That(configuration.Client.DirectorRetries).IsEqualTo(3);
    }

    [Test]
    public async Task Root_has_settings_of_its_own_over_those_of_the_system()
    {
        using TestShell shell = new() { With = world => world with { UserId = 0 } };
        shell.Variables.Remove("PELICAN_CONFIGBASE");
        shell.Variables["HOME"] = shell.Folder;
        string system = shell.Write("etc/pelican.yaml", "Client: {WorkerCount: 2, DirectorRetries: 3}\n");
        string own = shell.Write(".config/pelican/pelican.yaml", "Client: {WorkerCount: 7}\n");

        Configuration both = shell.Configure();
        File.Delete(own);
        Configuration one = shell.Configure();

        await Assert.That((both.Client.WorkerCount, both.Client.DirectorRetries)).IsEqualTo((7, 3));
        await Assert.That(both.Notes).Contains($"settings are read from '{system}'").And.Contains($"settings are read from '{own}'");
        await Assert.That(one.Client.WorkerCount).IsEqualTo(2);
        await Assert.That(one.Notes).Contains($"there is no '{own}'");
    }

    [Test]
    [Arguments("PELICAN_CLIENT_WORKERCOUNTS", "the environment variable PELICAN_CLIENT_WORKERCOUNTS is not known; is PELICAN_CLIENT_WORKERCOUNT meant?")]
    [Arguments("PELICAN_CLIENT_API_SOKET", "the environment variable PELICAN_CLIENT_API_SOKET is not known; is PELICAN_CLIENT_API_SOCKET meant?")]
    [Arguments("PELICAN_ORIGIN_PORT", null)]
    [Arguments("PELICAN_EXE", null)]
    [Arguments("PELICAN_SKIP_TERMINAL_CHECK", null)]
    [Arguments("PELICAN_CLIENTAGENT_SOCKET", null)]
    public async Task A_misspelt_variable_is_told(string variable, string? warning)
    {
        using TestShell shell = new();
        shell.Variables[variable] = "1";

        await Assert.That(shell.Configure().Warnings).IsEquivalentTo(warning is null ? Array.Empty<string>() : new[] { warning });
    }

    [Test]
    public async Task Every_parameter_of_the_client_can_be_written_in_a_file()
    {
        using TestShell shell = new();
        shell.Write("all.yaml", """
            federation: {discoveryurl: fed.example.org}
            CLIENT:
              DirectorRetries: 9
              StoppedTransferTimeout: 1m
              SlowTransferRampupTime: 2s
              SlowTransferWindow: 500ms
              MinimumDownloadSpeed: 1
              MaximumDownloadSpeed: 2
              WorkerCount: 3
              DisableHttpProxy: true
              DisableProxyFallback: yes
              EnableOverwrites: on
              PreferredCaches: ["https://a:8443", b, "+"]
            Transport.DialerTimeout: 1s
            Transport:
              DialerKeepAlive: 2s
              MaxIdleConns: 4
              IdleConnTimeout: 3s
              TLSHandshakeTimeout: 4s
              ResponseHeaderTimeout: 5s
            TLSSkipVerify: true
            Server: {TLSCACertificateFile: ca.pem}
            GeoLocation: "43.07, -89.41"
            Logging:
              Level: error
              LogLocation: logs/a.log
              Client: {DisableProgressBars: true}
            """);

        Configuration configuration = shell.Configure(config: "all.yaml");

        await Assert.That(configuration.Client with { PreferredCaches = [] }).IsEqualTo(new ClientSettings
        {
            DiscoveryUrl = "fed.example.org",
            DirectorRetries = 9,
            StoppedTransferTimeout = TimeSpan.FromMinutes(1),
            SlowTransferRampupTime = TimeSpan.FromSeconds(2),
            SlowTransferWindow = TimeSpan.FromMilliseconds(500),
            MinimumDownloadSpeed = 1,
            MaximumDownloadSpeed = 2,
            WorkerCount = 3,
            DisableHttpProxy = true,
            DisableProxyFallback = true,
            EnableOverwrites = true,
            DialerTimeout = TimeSpan.FromSeconds(1),
            DialerKeepAlive = TimeSpan.FromSeconds(2),
            MaxIdleConnections = 4,
            IdleConnectionTimeout = TimeSpan.FromSeconds(3),
            TlsHandshakeTimeout = TimeSpan.FromSeconds(4),
            ResponseHeaderTimeout = TimeSpan.FromSeconds(5),
            TlsSkipVerify = true,
            CaCertificateFile = shell.File("ca.pem"),
            GeoLocation = "43.07,-89.41",
            PreferredCaches = [],
        } with
        { PreferredCaches = (configuration.Client with { PreferredCaches = [] }).PreferredCaches });
        await Assert.That(configuration.Client.PreferredCaches).IsEquivalentTo(["https://a:8443", "b", "+"]);
        await Assert.That(configuration.LogLevel).IsEqualTo(LogLevel.Error);
        await Assert.That(configuration.LogFile).IsEqualTo(shell.File("logs/a.log"));
        await Assert.That(configuration.ProgressBars).IsFalse();
        await Assert.That(configuration.Warnings).IsEmpty();
    }

    [Test]
    public async Task A_named_file_replaces_the_usual_ones_and_more_files_are_merged_over_it()
    {
        using TestShell shell = new();
        shell.Write("etc/pelican.yaml", "Client: {WorkerCount: 1}");
        shell.Write("config/pelican.yaml", "Client: {WorkerCount: 2}");
        shell.Write("named.yaml", "Client: {WorkerCount: 3, DirectorRetries: 3, MaximumDownloadSpeed: 3}\nConfigLocations: [more]");
        shell.Write("merged.yaml", "Client: {DirectorRetries: 4, MaximumDownloadSpeed: 4}");
        shell.Write("more/b.yml", "Client: {MaximumDownloadSpeed: 6}");
        shell.Write("more/a.yaml", "Client: {MaximumDownloadSpeed: 5}");
        shell.Write("more/deep/c.yaml", "Client: {MaximumDownloadSpeed: 7}");

        await Assert.That(shell.Configure().Client.WorkerCount).IsEqualTo(2);
        File.Delete(shell.File("config/pelican.yaml"));
        await Assert.That(shell.Configure().Client.WorkerCount).IsEqualTo(1);
        shell.Variables["PELICAN_CONFIG"] = "named.yaml";
        await Assert.That(shell.Configure().Client.WorkerCount).IsEqualTo(3);
        shell.Variables["PELICAN_CONFIG_FILE"] = shell.File("merged.yaml");
        Configuration merged = shell.Configure();

        await Assert.That((merged.Client.WorkerCount, merged.Client.DirectorRetries, merged.Client.MaximumDownloadSpeed)).IsEqualTo((3, 4, 6L));
    }

    [Test]
    public async Task Legacy_variables_count_but_are_weaker_than_new_ones()
    {
        using TestShell shell = new();
        shell.Write("config/pelican.yaml", "Client: {PreferredCaches: [file:1]}");
        shell.Variables["OSG_DISABLE_HTTP_PROXY"] = "";
        shell.Variables["PELICAN_DISABLE_PROXY_FALLBACK"] = "whatever";
        shell.Variables["NEAREST_CACHE"] = "near:1,+";
        shell.Variables["PELICAN_MINIMUM_DOWNLOAD_SPEED"] = "5";

        ClientSettings old = shell.Configure().Client;
        shell.Variables["PELICAN_CLIENT_PREFERREDCACHES"] = "a:1, b:2";
        ClientSettings both = shell.Configure().Client;

        await Assert.That((old.DisableHttpProxy, old.DisableProxyFallback, old.MinimumDownloadSpeed)).IsEqualTo((true, true, 5L));
        await Assert.That(old.PreferredCaches).IsEquivalentTo(["near:1", "+"]);
        await Assert.That(both.PreferredCaches).IsEquivalentTo(["a:1", "b:2"]);
    }

    [Test]
    public async Task A_bare_number_counts_seconds_with_a_warning()
    {
        using TestShell shell = new();
        shell.Write("config/pelican.yaml", "Client:\n  StoppedTransferTimeout: 100\n");

        Configuration configuration = shell.Configure();

        await Assert.That(configuration.Client.StoppedTransferTimeout).IsEqualTo(TimeSpan.FromSeconds(100));
        await Assert.That(configuration.Warnings.Single())
            .IsEqualTo($"{shell.File("config/pelican.yaml")}:2: Client.StoppedTransferTimeout is 100 without a unit; seconds are assumed: write 100s");
    }

    [Test]
    public async Task An_unknown_setting_is_told_with_its_line_and_what_may_be_meant()
    {
        using TestShell shell = new();
        shell.Write("c.yaml", "Client:\n  WorkerCout: 3\nFederaton:\n  DiscoveryUrl: x\nZebra: 1\n");

        Configuration configuration = shell.Configure(config: "c.yaml");

        await Assert.That(configuration.Warnings).IsEquivalentTo([
            "c.yaml:2: Client.WorkerCout is not a known setting; is Client.WorkerCount meant?",
            "c.yaml:4: Federaton.DiscoveryUrl is not a known setting; is Federation.DiscoveryUrl meant?",
            "c.yaml:5: Zebra is not a known setting",
        ]);
    }

    [Test]
    public async Task Settings_of_servers_in_a_shared_file_are_no_mistake()
    {
        using TestShell shell = new();
        shell.Write("c.yaml", "Origin:\n  Exports:\n    - {StoragePrefix: /data, Capabilities: [a, b]}\nDirector: {Enabled: true}\nLogging: {Origin: {Xrd: info}}\n");

        Configuration configuration = shell.Configure(config: "c.yaml");

        await Assert.That(configuration.Warnings).IsEmpty();
        await Assert.That(configuration.Notes.Count(note => !note.StartsWith("settings are read from", StringComparison.Ordinal))).IsEqualTo(3);
    }

    [Test]
    [Arguments("Client: {WorkerCount: many}", "Client.WorkerCount is 'many', which is not a whole number from 1 to 1000")]
    [Arguments("Client: {WorkerCount: 0}", "Client.WorkerCount is '0', which is not a whole number from 1 to 1000")]
    [Arguments("Client: {WorkerCount: [1, 2]}", "Client.WorkerCount is '1, 2', which is not one value, not a list")]
    [Arguments("Client: {StoppedTransferTimeout: soon}", "Client.StoppedTransferTimeout is 'soon', which is not a time such as 1m40s, 30s or 500ms")]
    [Arguments("Client: {StoppedTransferTimeout: 0s}", "Client.StoppedTransferTimeout is '0s', which is not a time such as 1m40s, 30s or 500ms, more than nothing")]
    [Arguments("Client: {StoppedTransferTimeout: -1s}", "Client.StoppedTransferTimeout is '-1s', which is not a time such as 1m40s, 30s or 500ms, at most 576h")]
    [Arguments("Client: {DisableHttpProxy: perhaps}", "Client.DisableHttpProxy is 'perhaps', which is not true or false")]
    [Arguments("Client: {PreferredCaches: ['+', a]}", "Client.PreferredCaches: the special character '+' must be the last item in the list of preferred servers")]
    [Arguments("GeoLocation: Madison", "GeoLocation is 'Madison', which is not latitude,longitude in degrees, such as 43.07,-89.41")]
    [Arguments("GeoLocation: 143,0", "GeoLocation is '143,0', which is not latitude,longitude in degrees, such as 43.07,-89.41")]
    [Arguments("Logging: {Level: loud}", "Logging.Level is 'loud', which is not one of trace, debug, info, warn, error, fatal, panic")]
    public async Task A_bad_value_is_an_error_with_file_line_and_what_was_expected(string yaml, string message)
    {
        using TestShell shell = new();
        shell.Write("bad.yaml", "# a comment\n" + yaml);

        ShellResult result = await shell.RunAsync("--config", "bad.yaml", "object", "ls", "osdf:///a");

        await Assert.That(result.Status).IsEqualTo(4);
        await Assert.That(result.Error).IsEqualTo($"Error: bad.yaml:2: {message}\n");
    }

    [Test]
    public async Task A_bad_variable_is_named()
    {
        using TestShell shell = new();
        shell.Variables["PELICAN_CLIENT_WORKERCOUNT"] = "-3";

        ShellResult result = await shell.RunAsync("object", "ls", "osdf:///a");

        await Assert.That(result.Error).StartsWith("Error: PELICAN_CLIENT_WORKERCOUNT: Client.WorkerCount is '-3'");
        await Assert.That(result.Status).IsEqualTo(4);
    }

    [Test]
    [Arguments("--config", "none.yaml", "cannot read the configuration file 'none.yaml': there is no such file")]
    [Arguments("--config", "config", "cannot read the configuration file 'config': it is a directory")]
    public async Task A_file_that_is_named_must_be_readable(string flag, string name, string message)
    {
        using TestShell shell = new();
        shell.Write("config/other.yaml", "");

        ShellResult result = await shell.RunAsync(flag, name, "object", "ls", "osdf:///a");

        await Assert.That(result.Error).StartsWith($"Error: {message}\n");
        await Assert.That(result.Status).IsEqualTo(4);
    }

    [Test]
    public async Task The_usual_authorities_are_trusted_if_they_are_there()
    {
        using TestShell shell = new();
        await Assert.That(shell.Configure().Client.CaCertificateFile).IsNull();
        shell.Write("config/certificates/tlsca.pem", "");

        await Assert.That(shell.Configure().Client.CaCertificateFile).IsEqualTo(shell.File("config/certificates/tlsca.pem"));
    }
}
