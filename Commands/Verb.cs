using System.CommandLine;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>A command with all that its help says.</summary>
/// <param name="name">The word on the command line.</param>
/// <param name="description">What it does, a line.</param>
internal sealed class Verb(string name, string description) : Command(name, description)
{
    private readonly List<(Option Option, PelicanException Refusal)> _refused = [];

    /// <summary>Its arguments in the usage line, such as <c>&lt;source&gt;... &lt;destination&gt;</c>.</summary>
    public string Usage { get; init; } = "";

    /// <summary>Paragraphs after the description: each argument, and what is not obvious.</summary>
    public IReadOnlyList<string> Details { get; init; } = [];

    /// <summary>Command lines that work, each with what it does.</summary>
    public IReadOnlyList<(string Line, string Meaning)> Examples { get; init; } = [];

    /// <summary>Adds a switch that takes no value.</summary>
    public Option<bool> Switch(string name, string description, params string[] aliases)
    {
        // Without the arity, a file called "true" would be swallowed.
        Option<bool> option = new(name, aliases) { Description = description, Arity = ArgumentArity.Zero };
        Options.Add(option);
        return option;
    }

    /// <summary>Adds an option that takes one value.</summary>
    public Option<string?> Value(string name, string valueName, string description, params string[] aliases)
    {
        Option<string?> option = new(name, aliases) { Description = description, HelpName = valueName };
        Options.Add(option);
        return option;
    }

    /// <summary>Adds the arguments, as many as there are; the command says itself what is missing.</summary>
    public Argument<string[]> Words(string name)
    {
        Argument<string[]> words = new(name) { Arity = ArgumentArity.ZeroOrMore };
        Arguments.Add(words);
        return words;
    }

    /// <summary>Adds an option of the Go client that must be refused rather than do something else; not in the help.</summary>
    /// <param name="name">The option.</param>
    /// <param name="why">Why it cannot be had.</param>
    /// <param name="nextStep">What to do instead.</param>
    /// <param name="takesValue">Whether it has a value.</param>
    /// <param name="aliases">Other names.</param>
    public void Refuse(string name, string why, string nextStep, bool takesValue = false, params string[] aliases)
    {
        Option<string?> option = new(name, aliases)
        {
            Hidden = true,
            Arity = takesValue ? ArgumentArity.ZeroOrOne : ArgumentArity.Zero,
        };
        Options.Add(option);
        _refused.Add((option, new PelicanException(Errors.NotSupported, $"{name}: {why}", nextStep)));
    }

    /// <summary>Why a command line cannot be followed; null when it can.</summary>
    public PelicanException? Refusal(ParseResult parse) =>
        _refused.Find(refused => parse.GetResult(refused.Option) is { Implicit: false }).Refusal;

    /// <summary>How the command is called, <c>pelican object get</c>.</summary>
    public static string PathOf(Command command)
    {
        Command? parent = command.Parents.OfType<Command>().FirstOrDefault();
        return parent is null ? "pelican" : $"{PathOf(parent)} {command.Name}";
    }
}
