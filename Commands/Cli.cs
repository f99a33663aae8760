using System.CommandLine;
using System.CommandLine.Help;
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
        if (args is [VersionOption] && TellVersion())
        {
            return 0;
        }

        // A write beyond 'ulimit -f' is an error like that of a full disk, and not the end of the process.
        _ = Posix.SetSignalAction(Posix.FileSizeExceeded, Posix.Ignore);
        // What .NET would open instead prepares a terminal for reading, and leaves it so.
        Console.SetOut(TextWriter.Null);
        using Interruption interruption = new();
        interruption.Listen();
        Console.SetError(new StreamWriter(new ConsoleStream(2, interruption.Token)) { AutoFlush = true });
        int status = await RunAsync(args, Surroundings.OfProcess(interruption.Token), interruption);
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
        // As git and the Go client take it.
        args = args switch
        {
            [] => ["--help"],
            ["help", .. string[] words] => [.. words, "--help"],
            _ => args,
        };
        ParseResult parse = Root(new CommandHost(world, globals, messages, redactor, interruption), globals, world).Parse(args, parser);
        try
        {
            if (args is [.., VersionOption] && !args.Contains("--"))
            {
                world.Output.Write(Encoding.UTF8.GetBytes(VersionLine()));
                return 0;
            }

            CommandLineCheck.Refuse(parse, args);
            // Disposed on the spot: flushing asynchronously would start the thread pool, half the time of a short command.
            using StreamWriter help = new(world.Output, leaveOpen: true);
            InvocationConfiguration invocation = new()
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
                Output = help,
            };
            int status = await parse.InvokeAsync(invocation, interruption.Token);
            help.Flush();
            (world.Output as ConsoleStream)?.Complete();
            return status;
        }
        catch (Exception e)
        {
            return Report(e, parse, globals, world, (messages, redactor), interruption);
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

    // Without a parser, which would take most of the time. What goes wrong goes wrong with it too, and is told there.
    private static bool TellVersion()
    {
        try
        {
            new ConsoleStream(1).Write(Encoding.UTF8.GetBytes(VersionLine()));
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static string VersionLine() => $"pelican {typeof(Cli).Assembly.GetName().Version?.ToString(3)}\n";

    private static int Report(
        Exception error, ParseResult parse, GlobalOptions globals, Surroundings world, (ConsoleMessages, Redactor) to, Interruption interruption)
    {
        (ConsoleMessages messages, Redactor redactor) = to;
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
            try
            {
                ConsoleOutput output = new(world.Output);
                output.Json(Reports.Of(redactor.Redact(known), null), PelicanJson.Output.ErrorReport);
                output.Flush();
            }
            catch (IOException io)
            {
                // What went wrong first is what the status tells.
                ErrorLines.Show(messages, Faults.FromLocal(io, "standard output", "write"), debug: false);
            }
        }

        return known.ExitStatus;
    }
}
