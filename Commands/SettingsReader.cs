using Pelican.Server;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>The flags that are settings.</summary>
/// <param name="ConfigFile"><c>--config</c>.</param>
/// <param name="Federation"><c>--federation</c>.</param>
/// <param name="LogFile"><c>--log</c>.</param>
/// <param name="Debug"><c>--debug</c>.</param>
internal sealed record SettingFlags(string? ConfigFile, string? Federation, string? LogFile, bool Debug);

/// <summary>
/// Makes the configuration: flags over environment over files over defaults (federation-protocol 8.1 to 8.3, but that
/// no legacy variable overrides a flag).
/// </summary>
internal sealed class SettingsReader
{
    private readonly Surroundings _world;
    private readonly Dictionary<string, SettingValue> _values = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<string> _warnings = [];
    private readonly List<string> _notes = [];

    private SettingsReader(Surroundings world) => _world = world;

    /// <summary>Reads everything that applies to this command.</summary>
    /// <exception cref="PelicanException"><see cref="Errors.Configuration"/>, saying where the value was written.</exception>
    public static Configuration Read(SettingFlags flags, Surroundings world)
    {
        SettingsReader reader = new(world);
        reader.TakeOldDefaults();
        reader.TakeFiles(flags.ConfigFile);
        reader.TakeOldVariables();
        reader.TakeVariables();
        reader.LookForMisspeltVariables();
        reader.TakeFlags(flags);
        return reader.Build() with { File = flags.ConfigFile is { } file ? world.Absolute(file) : null };
    }

    /// <summary>Directory of the user's configuration; null where there is no home.</summary>
    private string? Base =>
        Variable("PELICAN_CONFIGBASE") is { } named ? _world.Absolute(named)
        : _world.UserId == 0 ? _world.SystemConfiguration
        : OwnDirectory;

    private void TakeOldDefaults()
    {
        foreach (string variable in (string[])["PELICAN_MINIMUM_DOWNLOAD_SPEED", "PELICANCP_MINIMUM_DOWNLOAD_SPEED"])
        {
            if (Variable(variable) is { } text && ulong.TryParse(text, out _))
            {
                Put("Client.MinimumDownloadSpeed", text, variable);
            }
        }
    }

    private void TakeFiles(string? named)
    {
        foreach (string main in (named ?? Variable("PELICAN_CONFIG")) is { } chosen ? [chosen] : UsualFiles())
        {
            TakeFile(main);
        }

        if ((Variable("PELICAN_CONFIG_FILE") ?? Variable("OSDF_CONFIG_FILE")) is { } merged)
        {
            TakeFile(merged);
        }

        const string locations = "ConfigLocations";
        SettingValue? directories = Variable("PELICAN_CONFIGLOCATIONS") is { } text
            ? new SettingValue(locations, [text], "PELICAN_CONFIGLOCATIONS")
            : _values.GetValueOrDefault(locations);
        foreach (string directory in directories?.List ?? [])
        {
            TakeDirectory(_world.Absolute(directory), directories!.Where);
        }
    }

    // The user's own, else the system's. Root's are both, its own over the system's: in a container everybody is root.
    private string[] UsualFiles()
    {
        string?[] directories = [_world.SystemConfiguration, Variable("PELICAN_CONFIGBASE") is { } named ? _world.Absolute(named) : OwnDirectory];
        string[] files = [.. directories.OfType<string>().Select(directory => Path.Combine(directory, "pelican.yaml"))];
        string[] there = [.. files.Where(File.Exists)];
        _notes.AddRange(files.Except(there).Select(file => $"there is no '{file}'"));
        return _world.UserId == 0 ? there : [.. there.TakeLast(1)];
    }

    private string? OwnDirectory => Variable("HOME") is { } home ? Path.Combine(home, ".config", "pelican") : null;

    private void TakeDirectory(string directory, string where)
    {
        if (!Directory.Exists(directory))
        {
            throw new PelicanException(Errors.Configuration, $"{where}: ConfigLocations names '{directory}', which is not a directory");
        }

        foreach (string file in Directory.EnumerateFiles(directory)
            .Where(file => Path.GetExtension(file) is ".yaml" or ".yml").Order(StringComparer.Ordinal))
        {
            TakeFile(file);
        }
    }

    private void TakeFile(string path)
    {
        string text;
        try
        {
            text = File.ReadAllText(_world.Absolute(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            string why = e is FileNotFoundException or DirectoryNotFoundException ? "there is no such file"
                : Directory.Exists(_world.Absolute(path)) ? "it is a directory"
                : e is UnauthorizedAccessException ? "permission denied"
                : e.Message;
            throw new PelicanException(Errors.Configuration, $"cannot read the configuration file '{path}': {why}", inner: e);
        }

        _notes.Add($"settings are read from '{path}'");
        foreach (SettingValue value in YamlSettings.Parse(path, text))
        {
            string name = SettingsTable.Renamed.GetValueOrDefault(value.Name, value.Name);
            if (SettingsTable.All.TryGetValue(name, out Setting? setting))
            {
                _values[setting.Name] = value with { Name = setting.Name };
            }
            else
            {
                Unknown(value);
            }
        }
    }

    private void Unknown(SettingValue value)
    {
        if (SettingsTable.BelongsToServer(value.Name))
        {
            _notes.Add($"{value.Where}: {value.Name} is a setting of servers");
            return;
        }

        string? near = Spelling.Nearest(value.Name, SettingsTable.All.Keys);
        _warnings.Add($"{value.Where}: {value.Name} is not a known setting" + (near is null ? "" : $"; is {near} meant?"));
    }

    private void TakeOldVariables()
    {
        foreach ((string name, string[] variables) in ((string, string[])[])
            [
                ("Client.DisableHttpProxy", ["OSG_DISABLE_HTTP_PROXY", "PELICAN_DISABLE_HTTP_PROXY"]),
                ("Client.DisableProxyFallback", ["OSG_DISABLE_PROXY_FALLBACK", "PELICAN_DISABLE_PROXY_FALLBACK"]),
            ])
        {
            // Being there is what counts, whatever the value, even an empty one.
            if (variables.FirstOrDefault(variable => _world.Variable(variable) is not null) is { } found)
            {
                Put(name, "true", found);
            }
        }

        foreach (string variable in (string[])["NEAREST_CACHE", "PELICAN_NEAREST_CACHE"])
        {
            if (Variable(variable) is { } caches)
            {
                Put("Client.PreferredCaches", caches, variable);
            }
        }
    }

    private void TakeVariables()
    {
        foreach ((string old, string name) in SettingsTable.Renamed)
        {
            TakeVariable(name, SettingsTable.Prefix + old.Replace('.', '_').ToUpperInvariant());
        }

        foreach (Setting setting in SettingsTable.All.Values)
        {
            TakeVariable(setting.Name, setting.Variable);
            if (setting.ClientApiVariable is { } variable)
            {
                TakeVariable(setting.Name, variable);
            }
        }
    }

    // One that is like none of ours belongs to a server, or to another program.
    private void LookForMisspeltVariables()
    {
        foreach (string name in _world.VariableNames().Where(name => name.StartsWith(SettingsTable.Prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            string word = name[SettingsTable.Prefix.Length..];
            if (!SettingsTable.Variables.Contains(name) && !SettingsTable.BelongsToServer(word.Replace('_', '.'))
                && Spelling.Nearest(word, SettingsTable.Variables.Select(known => known[SettingsTable.Prefix.Length..])) is { } near)
            {
                _warnings.Add($"the environment variable {name} is not known; is {SettingsTable.Prefix}{near} meant?");
            }
        }
    }

    private void TakeVariable(string name, string variable)
    {
        if (Variable(variable) is { } text)
        {
            Put(name, text, variable);
        }
    }

    private void TakeFlags(SettingFlags flags)
    {
        if (flags.Federation is { } federation)
        {
            Put("Federation.DiscoveryUrl", federation, "--federation");
        }

        if (flags.LogFile is { } log)
        {
            Put("Logging.LogLocation", log, "--log");
        }

        if (flags.Debug)
        {
            Put("Debug", "true", "--debug");
        }
    }

    private Configuration Build()
    {
        Configuration configuration = new();
        foreach (Setting setting in SettingsTable.All.Values)
        {
            if (!_values.TryGetValue(setting.Name, out SettingValue? value))
            {
                continue;
            }

            if (setting.Apply is null)
            {
                _notes.Add($"{value.Where}: {setting.Name} changes nothing in this program");
                continue;
            }

            configuration = setting.Apply(configuration, value, _warnings.Add);
        }

        return configuration with
        {
            LogFile = configuration.LogFile is { } log ? _world.Absolute(log) : null,
            Server = configuration.Server with { Files = Absolute(configuration.Server.Files) },
            Client = configuration.Client with
            {
                CaCertificateFile = Authorities(configuration.Client.CaCertificateFile),
                NoProxy = Variable("no_proxy") ?? Variable("NO_PROXY"),
            },
            Warnings = _warnings,
            Notes = _notes,
        };
    }

    private InstanceChoice Absolute(InstanceChoice files) => files with
    {
        Socket = files.Socket is { } socket ? _world.Absolute(socket) : null,
        PidFile = files.PidFile is { } pidFile ? _world.Absolute(pidFile) : null,
        Database = files.Database is { } database ? _world.Absolute(database) : null,
    };

    // A file that is named must be there when it is wanted; the usual one is taken if it is there.
    private string? Authorities(string? named)
    {
        if (named is not null)
        {
            return _world.Absolute(named);
        }

        string? directory = _values.GetValueOrDefault("ConfigBase")?.Text ?? Base;
        string? usual = directory is null ? null : Path.Combine(directory, "certificates", "tlsca.pem");
        return File.Exists(usual) ? usual : null;
    }

    private void Put(string name, string text, string where) => _values[name] = new SettingValue(name, [text], where);

    private string? Variable(string name) => _world.Variable(name) is { Length: > 0 } value ? value : null;
}
