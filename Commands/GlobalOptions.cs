using System.CommandLine;

namespace Pelican.Commands;

/// <summary>The options that every command has.</summary>
internal sealed class GlobalOptions
{
    private readonly Option<string?> _config = new("--config")
    {
        HelpName = "FILE",
        Description = "Configuration file (default ~/.config/pelican/pelican.yaml, else /etc/pelican/pelican.yaml)",
        Recursive = true,
    };

    private readonly Option<bool> _debug = Switch("--debug", "Say on standard error what is being done, in detail", "-d");

    private readonly Option<string?> _federation = new("--federation", "-f")
    {
        HelpName = "URL",
        Description = "Federation of object paths without a scheme",
        Recursive = true,
    };

    private readonly Option<string?> _log = new("--log", "-L")
    {
        HelpName = "FILE",
        Description = "Append log messages to a file",
        Recursive = true,
    };

    private readonly Option<bool> _json = Switch("--json", "Print results, and errors, as JSON", "-j");
    private readonly Option<bool> _quiet = Switch("--quiet", "No progress and no summary; warnings and errors only", "-q");

    /// <summary>Adds them to the root command.</summary>
    public void AddTo(Command root)
    {
        foreach (Option option in (Option[])[_config, _debug, _federation, _log, _json, _quiet])
        {
            root.Options.Add(option);
        }
    }

    /// <summary>The ones that are settings.</summary>
    public SettingFlags Settings(ParseResult parse) =>
        new(parse.GetValue(_config), parse.GetValue(_federation), parse.GetValue(_log), parse.GetValue(_debug));

    /// <summary>Whether output is wanted as JSON.</summary>
    public bool Json(ParseResult parse) => parse.GetValue(_json);

    /// <summary>Whether neither progress nor summary is wanted.</summary>
    public bool Quiet(ParseResult parse) => parse.GetValue(_quiet);

    /// <summary>Whether details are wanted.</summary>
    public bool Debug(ParseResult parse) => parse.GetValue(_debug);

    // An option that could take a value would swallow a file called "true".
    private static Option<bool> Switch(string name, string description, string alias) =>
        new(name, alias) { Description = description, Arity = ArgumentArity.Zero, Recursive = true };
}
