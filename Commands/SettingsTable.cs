using System.Globalization;
using Microsoft.Extensions.Logging;
using Pelican.Server;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>A parameter that this program knows.</summary>
/// <param name="Name">Documented name.</param>
/// <param name="Apply">Puts a value into the configuration; null for one that changes nothing here.</param>
internal sealed record Setting(string Name, Func<Configuration, SettingValue, Action<string>, Configuration>? Apply)
{
    /// <summary>Name of its environment variable.</summary>
    public string Variable => SettingsTable.Prefix + Name.Replace('.', '_').ToUpperInvariant();

    /// <summary>The same for the Client API server, in the spelling of the specification's <c>PELICAN_CLIENT_API_SOCKET</c>; null for others.</summary>
    public string? ClientApiVariable =>
        Name.StartsWith("ClientApi.", StringComparison.Ordinal) ? SettingsTable.Prefix + "CLIENT_API_" + Name["ClientApi.".Length..].ToUpperInvariant() : null;
}

/// <summary>The parameters of a client (federation-protocol 8.4), and what belongs to servers.</summary>
internal static class SettingsTable
{
    /// <summary>Names that the Go client renamed, and what they are called now.</summary>
    public static IReadOnlyDictionary<string, string> Renamed { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        ["MinimumDownloadSpeed"] = "Client.MinimumDownloadSpeed",
        ["DisableHttpProxy"] = "Client.DisableHttpProxy",
        ["DisableProxyFallback"] = "Client.DisableProxyFallback",
        ["Logging.DisableProgressBars"] = "Logging.Client.DisableProgressBars",
        ["ClientAPI.DatabasePath"] = "ClientApi.DbLocation",
        ["ClientAgent.Socket"] = "ClientApi.Socket",
        ["ClientAgent.PidFile"] = "ClientApi.PidFile",
        ["ClientAgent.DbLocation"] = "ClientApi.DbLocation",
        ["ClientAgent.MaxConcurrentJobs"] = "ClientApi.MaxConcurrentJobs",
        ["ClientAgent.IdleTimeout"] = "ClientApi.IdleTimeout",
        ["ClientAgent.HistoryRetentionDays"] = "ClientApi.HistoryRetentionDays",
    };

    /// <summary>Every parameter, by name in any case.</summary>
    public static IReadOnlyDictionary<string, Setting> All { get; } =
        Client().Concat(Transport()).Concat(ClientApi()).Concat(Others()).Concat(WithoutEffect())
            .ToDictionary(setting => setting.Name, StringComparer.OrdinalIgnoreCase);

    // Configuration files are shared with servers: what is theirs is no mistake.
    private static readonly HashSet<string> ServerSections = new(StringComparer.OrdinalIgnoreCase)
    {
        "Broker", "Cache", "Director", "GeoIPOverrides", "Issuer", "IssuerKey", "IssuerKeysDirectory", "LocalCache", "Lotman",
        "Monitoring", "OIDC", "Origin", "Registry", "RuntimeDir", "Server", "Shoveler", "Topology", "Transfer", "Xrootd",
        "Logging.Buffer", "Logging.Cache", "Logging.Director", "Logging.Origin", "Logging.Registry", "Logging.Rotation",
    };

    /// <summary>With what the names of our environment variables begin.</summary>
    public const string Prefix = "PELICAN_";

    /// <summary>Every environment variable that begins so and means something, here or to the Go client.</summary>
    public static IReadOnlySet<string> Variables { get; } = new HashSet<string>(
        All.Values.SelectMany(setting => (string?[])[setting.Variable, setting.ClientApiVariable]).OfType<string>()
            .Concat(Renamed.Keys.Select(name => Prefix + name.Replace('.', '_').ToUpperInvariant()))
            .Concat(((string[])
            [
                "CONFIG", "CONFIG_FILE", "CONFIGBASE", "CONFIGLOCATIONS", "DISABLE_HTTP_PROXY", "DISABLE_PROXY_FALLBACK", "MINIMUM_DOWNLOAD_SPEED",
                "NEAREST_CACHE", "CLIENT_API_AUTOSTART", "SKIP_TERMINAL_CHECK",
            ]).Select(name => Prefix + name)));

    /// <summary>Whether a name that is not in the table belongs to a server.</summary>
    public static bool BelongsToServer(string name)
    {
        string[] parts = name.Split('.');
        return ServerSections.Contains(parts[0]) || (parts.Length > 1 && ServerSections.Contains(parts[0] + "." + parts[1]));
    }

    private static IEnumerable<Setting> Client() =>
    [
        new("Federation.DiscoveryUrl", (c, v, _) => Set(c, c.Client with { DiscoveryUrl = v.Text })),
        new("Client.DirectorRetries", (c, v, _) => Set(c, c.Client with { DirectorRetries = (int)v.Whole(1, 1000) })),
        new("Client.StoppedTransferTimeout", (c, v, w) => Set(c, c.Client with { StoppedTransferTimeout = v.Time(false, w) })),
        new("Client.SlowTransferRampupTime", (c, v, w) => Set(c, c.Client with { SlowTransferRampupTime = v.Time(true, w) })),
        new("Client.SlowTransferWindow", (c, v, w) => Set(c, c.Client with { SlowTransferWindow = v.Time(true, w) })),
        new("Client.MinimumDownloadSpeed", (c, v, _) => Set(c, c.Client with { MinimumDownloadSpeed = v.Whole(0, long.MaxValue) })),
        new("Client.MaximumDownloadSpeed", (c, v, _) => Set(c, c.Client with { MaximumDownloadSpeed = v.Whole(0, long.MaxValue) })),
        new("Client.WorkerCount", (c, v, _) => Set(c, c.Client with { WorkerCount = (int)v.Whole(1, 1000) })),
        new("Client.DisableHttpProxy", (c, v, _) => Set(c, c.Client with { DisableHttpProxy = v.Flag })),
        new("Client.DisableProxyFallback", (c, v, _) => Set(c, c.Client with { DisableProxyFallback = v.Flag })),
        new("Client.EnableOverwrites", (c, v, _) => Set(c, c.Client with { EnableOverwrites = v.Flag })),
        new("Client.PreferredCaches", (c, v, _) => Set(c, c.Client with { PreferredCaches = CacheList.Of(v) })),
    ];

    private static IEnumerable<Setting> Transport() =>
    [
        new("Transport.DialerTimeout", (c, v, w) => Set(c, c.Client with { DialerTimeout = v.Time(false, w) })),
        new("Transport.DialerKeepAlive", (c, v, w) => Set(c, c.Client with { DialerKeepAlive = v.Time(false, w) })),
        new("Transport.MaxIdleConns", (c, v, _) => Set(c, c.Client with { MaxIdleConnections = (int)v.Whole(1, int.MaxValue) })),
        new("Transport.IdleConnTimeout", (c, v, w) => Set(c, c.Client with { IdleConnectionTimeout = v.Time(false, w) })),
        new("Transport.TLSHandshakeTimeout", (c, v, w) => Set(c, c.Client with { TlsHandshakeTimeout = v.Time(false, w) })),
        new("Transport.ResponseHeaderTimeout", (c, v, w) => Set(c, c.Client with { ResponseHeaderTimeout = v.Time(false, w) })),
        new("TLSSkipVerify", (c, v, _) => Set(c, c.Client with { TlsSkipVerify = v.Flag })),
        new("Server.TLSCACertificateFile", (c, v, _) => Set(c, c.Client with { CaCertificateFile = v.Text })),
        new("GeoLocation", (c, v, _) => Set(c, c.Client with { GeoLocation = Coordinates(v) })),
    ];

    private static IEnumerable<Setting> ClientApi() =>
    [
        new("ClientApi.Socket", (c, v, _) => Set(c, c.Server.Files with { Socket = v.Text })),
        new("ClientApi.PidFile", (c, v, _) => Set(c, c.Server.Files with { PidFile = v.Text })),
        new("ClientApi.DbLocation", (c, v, _) => Set(c, c.Server.Files with { Database = v.Text })),
        new("ClientApi.MaxConcurrentJobs", (c, v, _) => Set(c, c.Server with { MaxJobs = (int)v.Whole(1, 1000) })),
        new("ClientApi.IdleTimeout", (c, v, w) => Set(c, c.Server with { IdleTimeout = v.Time(true, w) })),
        new("ClientApi.HistoryRetentionDays", (c, v, _) => Set(c, c.Server with { HistoryRetentionDays = (int)v.Whole(0, 1_000_000) })),
    ];

    private static IEnumerable<Setting> Others() =>
    [
        new("Logging.Level", (c, v, _) => c with { LogLevel = Level(v) }),
        // Older than Logging.Level, and stronger than it, as in the Go client.
        new("Debug", (c, v, _) => v.Flag ? c with { LogLevel = LogLevel.Debug } : c),
        new("Logging.LogLocation", (c, v, _) => c with { LogFile = v.Text }),
        new("Logging.Client.DisableProgressBars", (c, v, _) => c with { ProgressBars = !v.Flag }),
        new("ConfigBase", (c, _, _) => c),
        new("ConfigLocations", (c, _, _) => c),
    ];

    private static IEnumerable<Setting> WithoutEffect() => ((string[])
    [
        "Federation.DirectorUrl", "Federation.RegistryUrl", "Federation.JwkUrl", "Federation.BrokerUrl", "Federation.TopologyUrl",
        "Federation.TopologyNamespaceUrl", "Federation.TopologyDowntimeUrl", "Federation.TopologyReloadInterval",
        "Client.IsPlugin", "Client.AssumeDirectorServerHeader", "Client.CredentialFile", "Transport.ExpectContinueTimeout",
        "Transport.BrokerEndpointCacheTTL", "Logging.Client.ProgressInterval", "Plugin.Token", "Plugin.DirectorDecisionPercentage",
        "StagePlugin.Hook", "StagePlugin.MountPrefix", "StagePlugin.OriginPrefix", "StagePlugin.ShadowOriginPrefix",
        "ClientAgent.ProgressUpdateInterval",
    ]).Select(name => new Setting(name, null));

    private static Configuration Set(Configuration configuration, ClientSettings client) => configuration with { Client = client };

    private static Configuration Set(Configuration configuration, ServerSettings server) => configuration with { Server = server };

    private static Configuration Set(Configuration configuration, InstanceChoice files) =>
        Set(configuration, configuration.Server with { Files = files });

    private static LogLevel Level(SettingValue value) => value.Text.ToUpperInvariant() switch
    {
        "TRACE" => LogLevel.Trace,
        "DEBUG" => LogLevel.Debug,
        "INFO" => LogLevel.Information,
        "WARN" or "WARNING" => LogLevel.Warning,
        "ERROR" => LogLevel.Error,
        "FATAL" or "PANIC" => LogLevel.Critical,
        _ => throw value.Bad("one of trace, debug, info, warn, error, fatal, panic"),
    };

    private static string Coordinates(SettingValue value)
    {
        string text = value.Items.Count == 2 ? string.Join(',', value.Items) : value.Text;
        string[] parts = text.Split(',', StringSplitOptions.TrimEntries);
        return parts.Length == 2 && Within(parts[0], 90) && Within(parts[1], 180)
            ? string.Join(',', parts)
            : throw value.Bad("latitude,longitude in degrees, such as 43.07,-89.41");
    }

    private static bool Within(string text, double limit) =>
        double.TryParse(text, CultureInfo.InvariantCulture, out double degrees) && Math.Abs(degrees) <= limit;
}
