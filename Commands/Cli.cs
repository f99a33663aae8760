using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Text;
using Pelican.ClientApi;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>The command line: its root, and the one place where an error becomes an exit status.</summary>
internal static class Cli
{
    /// <summary>Exit status after <c>EPIPE</c>, as of a program that <c>SIGPIPE</c> ended.</summary>
    private const int ReaderGone = 141;

    private const string VersionOption = "--version";

    /// <summary>Runs one command line.</summary>
    /// <returns>The exit status.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        Posix.OpenStandardStreams();
        NativeStartup.Configure();
        if (args is [VersionOption])
        {
            new ConsoleStream(1).Write(Encoding.UTF8.GetBytes(VersionLine()));
            return 0;
        }

        using Interruption interruption = new();
        interruption.Listen();
        int status = await RunAsync(args, Surroundings.OfProcess(), interruption);
        interruption.Reraise();
        return status;
    }

    /// <summary>The same in given surroundings.</summary>
    internal static async Task<int> RunAsync(string[] args, Surroundings world, Interruption interruption)
    {
        Redactor redactor = new();
        ConsoleMessages messages = new(world.ErrorOutput, redactor);
        GlobalOptions globals = new();
        // A file may be called "@name": nothing on the command line stands for something else.
        ParserConfiguration parser = new() { ResponseFileTokenReplacer = null };
        ParseResult parse = Root(new CommandHost(world, globals, messages, redactor), globals, world).Parse(args, parser);
        try
        {
            if (args is [.., VersionOption] && !args.Contains("--"))
            {
                world.Output.Write(Encoding.UTF8.GetBytes(VersionLine()));
                return 0;
            }

            Refuse(parse);
            // Disposed on the spot: flushing asynchronously would start the thread pool, half the time of a short command.
            using StreamWriter help = new(world.Output, leaveOpen: true);
            InvocationConfiguration invocation = new()
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
                Output = help,
            };
            return await parse.InvokeAsync(invocation, interruption.Token);
        }
        catch (Exception e)
        {
            return Report(e, parse, globals, world, messages, interruption);
        }
    }

    /// <summary>The command tree.</summary>
    internal static RootCommand Root(CommandHost host, GlobalOptions globals, Surroundings world)
    {
        RootCommand root = new("Move objects between local files and a Pelican federation.");
        root.Directives.Clear();
        root.Options.Clear();
        root.Options.Add(new HelpOption("--help", "-h")
        {
            Description = "Show this help",
            Action = new CommandHelp(world.OutputIsTerminal ? world.TerminalSize().Columns : 80),
        });
        globals.AddTo(root);
        root.Options.Add(new Option<bool>(VersionOption)
        {
            Description = "Print the version; only as the last word of the command line",
            Arity = ArgumentArity.Zero,
        });
        root.Subcommands.Add(ObjectCommand.Create(host));
        root.Subcommands.Add(JobCommand.Create(host));
        root.Subcommands.Add(ClientApiCommand.Create(host, "client-api", "serve"));
        root.Subcommands.Add(ClientApiCommand.Create(host, "client-agent", "start"));
        root.Subcommands.Add(SelfTestCommand.Create());
        return root;
    }

    private static string VersionLine() => $"pelican {typeof(Cli).Assembly.GetName().Version?.ToString(3)}\n";

    /// <summary>What System.CommandLine lets pass, or says less well.</summary>
    private static void Refuse(ParseResult parse)
    {
        Command command = parse.CommandResult.Command;
        string hint = $"Try '{Verb.PathOf(command)} --help' for more information.";
        if (parse.GetResult(parse.RootCommandResult.Command.Options.OfType<HelpOption>().First()) is { Implicit: false })
        {
            return;
        }

        if (MisspeltOption(parse) is { } option)
        {
            string? near = Spelling.Nearest(option.Split('=')[0], OptionNames(command));
            throw new PelicanException(Errors.Parameter, $"unknown option '{option}'" + (near is null ? "" : $"; is {near} meant?"),
                $"A name that begins with '-' goes after '--'. {hint}");
        }

        if (parse.UnmatchedTokens is [{ } word, ..])
        {
            if (command.Arguments.Count > 0)
            {
                throw new PelicanException(Errors.Parameter,
                    $"more than {ArgumentArity.ZeroOrMore.MaximumNumberOfValues} words are too many for one command", "Call pelican several times, as xargs does.");
            }

            if (command.Subcommands.Count == 0)
            {
                throw new PelicanException(Errors.Parameter, $"'{word}' is one word too many: '{Verb.PathOf(command)}' takes none", hint);
            }

            string? near = Spelling.Nearest(word, command.Subcommands.Select(sub => sub.Name));
            throw new PelicanException(Errors.Parameter, $"unknown command '{word}'" + (near is null ? "" : $"; is '{near}' meant?"), hint);
        }

        if (parse.Errors is [{ } error, ..])
        {
            throw new PelicanException(Errors.Parameter, command.Subcommands.Count > 0 ? "no command is given" : error.Message, hint);
        }

        if (command is Verb verb && verb.Refusal(parse) is { } refusal)
        {
            throw refusal;
        }
    }

    // A word that looks like an option was meant as one, unless it stands after "--", be it taken for an argument or left over.
    private static string? MisspeltOption(ParseResult parse)
    {
        if (parse.UnmatchedTokens is [['-', _, ..] leftOver, ..] && parse.Tokens.All(token => token.Type != TokenType.DoubleDash))
        {
            return leftOver;
        }

        HashSet<Token> words = new(
            parse.CommandResult.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens), ReferenceEqualityComparer.Instance);
        return parse.Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash)
            .FirstOrDefault(token => words.Contains(token) && token.Value.Length > 1 && token.Value[0] == '-')?.Value;
    }

    private static IEnumerable<string> OptionNames(Command command)
    {
        for (Command? at = command; at is not null; at = at.Parents.OfType<Command>().FirstOrDefault())
        {
            foreach (Option option in at.Options.Where(option => at == command || option.Recursive))
            {
                yield return option.Name;
            }
        }
    }

    private static int Report(
        Exception error, ParseResult parse, GlobalOptions globals, Surroundings world, ConsoleMessages messages, Interruption interruption)
    {
        if (world.ReaderGone)
        {
            return ReaderGone;
        }

        if (error is OperationCanceledException && interruption.Signal != 0)
        {
            messages.Line("Interrupted.");
            return interruption.ExitStatus;
        }

        PelicanException known = error switch
        {
            PelicanException pelican => pelican,
            ApiException api => ApiFaults.Of(api),
            // Only standard output is written without a name of its own.
            IOException io => Faults.FromLocal(io, "standard output", "write"),
            _ => new PelicanException(Errors.Internal, $"internal error: {error.GetType().Name}: {error.Message}",
                "This is a mistake in pelican: please report it, with what the same command says with --debug.", error),
        };
        ErrorLines.Show(messages, known, globals.Debug(parse));
        if (known.Retryable)
        {
            messages.Line(ErrorLines.Retryable);
        }

        if (globals.Json(parse) && error is not IOException)
        {
            ConsoleOutput output = new(world.Output);
            output.Json(Reports.Of(known, null), PelicanJson.Output.ErrorReport);
            output.Flush();
        }

        return known.ExitStatus;
    }
}
