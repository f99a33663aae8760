using System.Text.Json;
using Pelican.Transfer;

namespace Pelican.Tests.Commands;

public sealed class CliTests
{
    [Test]
    [Arguments("--version")]
    [Arguments("object", "get", "osdf:///a", ".", "--version")]
    [Arguments("no", "such", "command", "--version")]
    public async Task The_version_is_told_as_the_last_word_of_anything(params string[] arguments)
    {
        using TestShell shell = new();

        ShellResult result = await shell.RunAsync(arguments);

        await Assert.That(result.Status).IsEqualTo(0);
        await Assert.That(result.Output).Matches(@"^pelican \d+\.\d+\.\d+\n$");
        await Assert.That(result.Error).IsEqualTo("");
    }

    [Test]
    [Arguments("help", "object", "get")]
    [Arguments("help", "object", "get", "-h")]
    [Arguments("object", "get", "--help")]
    public async Task Help_is_had_as_a_command_and_as_an_option(params string[] arguments)
    {
        using TestShell shell = new();

        ShellResult result = await shell.RunAsync(arguments);

        await Assert.That(result.Status).IsEqualTo(0);
        await Assert.That(result.Output).StartsWith("Usage: pelican object get ");
    }

    [Test]
    public async Task Without_any_word_help_is_shown()
    {
        using TestShell shell = new();

        ShellResult result = await shell.RunAsync();

        await Assert.That((result.Status, result.Error)).IsEqualTo((0, ""));
        await Assert.That(result.Output).StartsWith("Usage: pelican [options] <command>\n");
    }

    [Test]
    public async Task A_command_that_nobody_has_is_not_said_to_be_elsewhere()
    {
        using TestShell shell = new();

        ShellResult result = await shell.RunAsync("completion", "bash");

        await Assert.That(result.Status).IsEqualTo(8);
        await Assert.That(result.Error).DoesNotContain("Go client");
    }

    [Test]
    [Arguments("unknown option '--frobnicate'", false, "object", "get", "--frobnicate", "osdf:///a", ".")]
    [Arguments("unknown option '-dash.txt'", true, "object", "put", "-dash.txt", "osdf:///a/")]
    public async Task How_a_name_with_a_dash_is_given_is_told_where_one_may_be_meant(string message, bool told, params string[] arguments)
    {
        using TestShell shell = new();

        ShellResult result = await shell.RunAsync(arguments);

        await Assert.That(result.Error).StartsWith($"Error: {message}\n");
        await Assert.That(result.Error.Contains("goes after '--'", StringComparison.Ordinal)).IsEqualTo(told);
    }

    [Test]
    [Arguments("'osdf:///a/b' is a URL and 'b' a local file: put uploads", "pelican object get", "object", "put", "osdf:///a/b", "b")]
    [Arguments("the destination 'osdf:///a/b' is a URL, and get writes files", "pelican object get 'osdf:///a/b' 'b'", "object", "get", "b", "osdf:///a/b")]
    [Arguments("no file is called '*.csv'", "The shell passes on a pattern", "object", "put", "*.csv", "osdf:///a/")]
    public async Task What_was_probably_meant_is_told(string message, string step, params string[] arguments)
    {
        using TestShell shell = new();

        ShellResult result = await shell.RunAsync(arguments);

        await Assert.That(result.Status).IsEqualTo(4);
        await Assert.That(result.Error).StartsWith($"Error: {message}\n").And.Contains(step);
    }

    [Test]
    [Arguments("object", "sync")]
    [Arguments("object", "prestage")]
    [Arguments("token")]
    public async Task A_command_that_only_the_Go_client_has_is_said_to_be_one(params string[] arguments)
    {
        using TestShell shell = new();

        ShellResult result = await shell.RunAsync([.. arguments, "osdf:///a"]);

        await Assert.That(result.Status).IsEqualTo(8);
        await Assert.That(result.Error).StartsWith($"Error: 'pelican {string.Join(' ', arguments)}' is not there yet\n");
    }

    [Test]
    [Arguments("-t", "-dash.txt")]
    [Arguments("-jt", "-dash.txt")]
    [Arguments("--token", "-dash.txt")]
    [Arguments("-t-dash.txt")]
    public async Task The_value_of_an_option_may_begin_with_a_dash(params string[] option)
    {
        using TestShell shell = new();

        ShellResult result = await shell.RunAsync(["object", "stat", .. option, "osdf:///a"]);

        await Assert.That(result.Error).StartsWith("Error: there is no token file '-dash.txt'\n");
    }

    [Test]
    public async Task After_two_dashes_the_version_is_a_file()
    {
        using TestShell shell = new();

        ShellResult result = await shell.RunAsync("object", "put", "--", "a", "--version");

        await Assert.That(result.Status).IsEqualTo(4);
        await Assert.That(result.Error).Contains("--version");
    }

    [Test]
    [Arguments("no command is given", "pelican object --help", "object")]
    [Arguments("unknown command 'objct'; is 'object' meant?", "pelican --help", "objct")]
    [Arguments("unknown command 'gte'; is 'get' meant?", "pelican object --help", "object", "gte", "a", "b")]
    [Arguments("unknown command 'rm'; is 'delete' meant?", "pelican object --help", "object", "rm", "osdf:///a")]
    [Arguments("unknown command 'mv'", "pelican object --help", "object", "mv", "osdf:///a", "b")]
    [Arguments("unknown command 'get'; is 'object get' meant?", "pelican --help", "get", "osdf:///a", "b")]
    [Arguments("unknown command 'serve'; is 'client-api serve' meant?", "pelican --help", "serve")]
    [Arguments("unknown command 'version'; is '--version' meant?", "pelican --help", "version")]
    [Arguments("unknown command 'gte'; is 'get' meant?", "pelican object --help", "object", "gte", "--help")]
    [Arguments("unknown command 'fetch' before 'get'", "pelican object get --help", "fetch", "object", "get", "osdf:///a", "b")]
    [Arguments("No Source or Destination", "pelican object get --help", "object", "get", "osdf:///a")]
    [Arguments("No Source or Destination", "pelican object put --help", "object", "put", "a")]
    [Arguments("a source or destination is empty", "pelican object get --help", "object", "get", "", ".")]
    [Arguments("no location provided", "pelican object ls --help", "object", "ls")]
    [Arguments("no object provided", "pelican object stat --help", "object", "stat")]
    [Arguments("no object provided", "pelican object delete --help", "object", "delete")]
    [Arguments("one object at a time: 'osdf:///b' is too many", "pelican object ls --help", "object", "ls", "osdf:///a", "osdf:///b")]
    [Arguments("unknown option '--cahe=x'; is --cache meant?", "pelican object get --help", "object", "get", "--cahe=x", "osdf:///a", ".")]
    [Arguments("unknown option '-x'", "pelican object get --help", "object", "get", "-x", "osdf:///a", ".")]
    [Arguments("unknown option '-dash.txt'", "pelican object put --help", "object", "put", "-dash.txt", "osdf:///a/")]
    [Arguments("unknown option '-lX'", "pelican object ls --help", "object", "ls", "-lX", "osdf:///a")]
    [Arguments("unknown option '--statu'; is --status meant?", "pelican job list --help", "job", "list", "--statu", "running")]
    [Arguments("unknown option '--jso'; is --json meant?", "pelican --help", "--jso")]
    [Arguments("'extra' is one word too many: 'pelican client-api stop' takes none", "pelican client-api stop --help", "client-api", "stop", "extra")]
    [Arguments("Required argument missing for option: '--token'.", "pelican object ls --help", "object", "ls", "osdf:///a", "--token")]
    public async Task A_command_line_that_cannot_be_read_is_explained(string message, string hint, params string[] arguments)
    {
        using TestShell shell = new();

        ShellResult result = await shell.RunAsync(arguments);

        await Assert.That(result.Status).IsEqualTo(4);
        await Assert.That(result.Output).IsEqualTo("");
        await Assert.That(result.Error).StartsWith($"Error: {message}\n");
        await Assert.That(result.Error).Contains($"Try '{hint}' for more information.\n");
    }

    [Test]
    [Arguments("object", "get", "osdf:///a?pack=tar", ".")]
    [Arguments("object", "get", "osdf:///a", ".", "--pack", "tar")]
    [Arguments("object", "get", "osdf:///a", ".", "--pack")]
    [Arguments("object", "get", "--inplace", "osdf:///a", ".")]
    [Arguments("object", "put", "-", "osdf:///a")]
    [Arguments("object", "copy", "osdf:///a", "osdf:///b")]
    [Arguments("object", "ls", "-r", "osdf:///a")]
    [Arguments("object", "ls", "-R", "osdf:///a")]
    [Arguments("object", "ls", "-laR", "osdf:///a")]
    [Arguments("object", "put", "--metadata-file", "m", "a", "osdf:///a")]
    public async Task What_is_not_there_yet_is_refused_and_not_dropped(params string[] arguments)
    {
        using TestShell shell = new();

        ShellResult result = await shell.RunAsync(arguments);

        await Assert.That(result.Status).IsEqualTo(Errors.NotSupported.ExitStatus);
        await Assert.That(result.Error).StartsWith("Error: ");
        await Assert.That(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length).IsEqualTo(2);
    }

    [Test]
    [Arguments("object", "get", "--direct", "-c", "cache:8443", "osdf:///a", ".")]
    [Arguments("object", "get", "--direct", "osdf:///a?prefercached", ".")]
    [Arguments("object", "get", "osdf:///a", "osdf:///b", "-")]
    [Arguments("object", "get", "osdf:///a", "-", "--json")]
    [Arguments("object", "get", "osdf:///a", "osdf:///b")]
    [Arguments("object", "get", "osdf:///", ".")]
    [Arguments("object", "get", "-r", "osdf:///a", "-")]
    [Arguments("object", "get", "osdf:///a?recursive", "-")]
    [Arguments("object", "get", "-r", "osdf:///a", "osdf:///b", "none")]
    [Arguments("object", "get", "osdf:///a?recursive", "osdf:///b", ".")]
    [Arguments("object", "get", "osdf:///a?recursive=false", ".")]
    [Arguments("object", "put", ".", "osdf:///a")]
    [Arguments("object", "put", "-r", "none", "osdf:///a")]
    [Arguments("object", "put", "-r", "--checksums", "md5:list", ".", "osdf:///a")]
    [Arguments("object", "get", "http://a/b", ".")]
    [Arguments("object", "get", "/a/b", ".")]
    [Arguments("object", "get", "-c", "a,,b", "osdf:///a", ".")]
    [Arguments("object", "get", "-c", "+,a", "osdf:///a", ".")]
    [Arguments("object", "get", "-c", "http://", "osdf:///a", ".")]
    [Arguments("object", "get", "-t", "no-such-token", "osdf:///a", ".")]
    [Arguments("object", "put", "--checksum-algorithm", "sha512", "a", "osdf:///a")]
    [Arguments("object", "put", "osdf:///a", "osdf:///b")]
    [Arguments("object", "copy", "a", "b")]
    [Arguments("object", "copy", "a", "osdf:///b", "osdf:///c")]
    [Arguments("object", "copy", "--direct", "a", "osdf:///c")]
    [Arguments("object", "ls", "-C", "-O", "osdf:///a")]
    [Arguments("object", "stat", "--checksums", "crc64", "osdf:///a")]
    public async Task Mistakes_are_found_before_anything_is_asked_of_the_network(params string[] arguments)
    {
        using TestShell shell = new();

        ShellResult result = await shell.RunAsync(arguments);

        await Assert.That(result.Error).StartsWith("Error: ").And.DoesNotContain("internal");
        await Assert.That(result.Status).IsEqualTo(4);
    }

    [Test]
    public async Task With_json_an_error_is_printed_as_json_too()
    {
        using TestShell shell = new();

        ShellResult result = await shell.RunAsync("object", "get", "--json", "osdf:///a", "osdf:///b", "none");

        JsonElement error = JsonDocument.Parse(result.Output).RootElement;
        await Assert.That(error.GetProperty("error").GetString()).IsEqualTo("Destination does not exist: 'none'");
        await Assert.That(error.GetProperty("code").GetInt32()).IsEqualTo(1011);
        await Assert.That(error.GetProperty("retryable").GetBoolean()).IsFalse();
        await Assert.That(error.GetProperty("attempts").GetArrayLength()).IsEqualTo(0);
        await Assert.That(result.Error).StartsWith("Error: Destination does not exist: 'none'\n");
    }

    [Test]
    public async Task A_mistake_of_ours_is_one_line_and_a_request_and_with_debug_a_trace()
    {
        using TestShell shell = new() { With = world => world with { OpenFederation = (_, _, _, _) => throw new InvalidOperationException("oh") } };

        ShellResult plain = await shell.RunAsync("object", "ls", "osdf:///a");
        ShellResult debug = await shell.RunAsync("object", "ls", "osdf:///a", "--debug");

        await Assert.That(plain.Status).IsEqualTo(1);
        await Assert.That(plain.Error).IsEqualTo("Error: internal error: InvalidOperationException: oh\n"
            + "This is a mistake in pelican: please report it, with what the same command says with --debug.\n");
        await Assert.That(debug.Error).Contains("   at Pelican.");
    }

    [Test]
    public async Task An_error_that_a_later_try_can_cure_says_so_in_the_last_line()
    {
        PelicanException error = new(Errors.Slow, "too slow", "Wait.")
        {
            Attempts = [new Attempt("a:1", 5, TimeSpan.FromSeconds(1.25), "reset", Errors.ConnectionReset), new Attempt("b:2", 6, TimeSpan.FromMinutes(2), "slow", Errors.Slow)],
        };
        using TestShell shell = new() { With = world => world with { OpenFederation = (_, _, _, _) => throw error } };

        ShellResult result = await shell.RunAsync("object", "stat", "osdf:///a");

        await Assert.That(result.Status).IsEqualTo(11);
        await Assert.That(result.Error).IsEqualTo("Error: too slow\n  attempt 1, a:1, after 1.3 s: reset\n"
            + "  attempt 2, b:2, after 2m00s: slow\nWait.\nErrors are retryable\n");
    }

    [Test]
    [Arguments(2, 130)]
    [Arguments(15, 143)]
    public async Task A_signal_ends_a_command_with_the_status_of_the_shell(int signal, int status)
    {
        using TestShell shell = new();
        shell.With = world => world with
        {
            OpenFederation = (_, _, _, _) =>
            {
                shell.Interruption.Raise(signal);
                throw new OperationCanceledException(shell.Interruption.Token);
            },
        };

        ShellResult result = await shell.RunAsync("object", "ls", "osdf:///a");

        await Assert.That(result.Status).IsEqualTo(status);
        await Assert.That(result.Error).IsEqualTo("Interrupted.\n");
    }

    [Test]
    [Arguments("get", "pelican object get osdf:///ospool/data/run1.dat .")]
    [Arguments("put", "pelican object put run1.dat osdf:///ospool/data/run1.dat")]
    [Arguments("copy", "pelican object copy run1.dat osdf:///ospool/data/run1.dat")]
    [Arguments("ls", "pelican object ls osdf:///ospool/data")]
    [Arguments("stat", "pelican object stat osdf:///ospool/data/run1.dat")]
    [Arguments("delete", "pelican object delete osdf:///ospool/data/run1.dat")]
    public async Task The_help_of_a_verb_has_examples_and_every_option(string verb, string example)
    {
        using TestShell shell = new();

        ShellResult result = await shell.RunAsync("object", verb, "--help");

        await Assert.That(result.Status).IsEqualTo(0);
        await Assert.That(result.Output).StartsWith($"Usage: pelican object {verb} [options] <");
        await Assert.That(result.Output).Contains($"\nExamples:\n").And.Contains($"\n  {example}\n");
        await Assert.That(result.Output).Contains("-t, --token <FILE>").And.Contains("-f, --federation <URL>");
        await Assert.That(result.Output.Contains("-r, --recursive", StringComparison.Ordinal)).IsEqualTo(verb is "get" or "put" or "copy" or "delete");
        await Assert.That(result.Output.Split('\n').Where(line => line.Length > 80 && !line.StartsWith("  pelican", StringComparison.Ordinal))).IsEmpty();
    }
}
