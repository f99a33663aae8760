using Pelican.Commands;
using Pelican.Tests.Support;

namespace Pelican.Tests.Commands;

/// <summary>What is said in a batch job, which ends every process that was started in it.</summary>
public sealed class BatchJobTests
{
    private static readonly ApiAnswer Created = new(201,
        """{"job_id": "550e8400-e29b-41d4-a716-446655440000", "status": "pending", "created_at": "2025-01-15T10:30:00Z", "transfers": []}""");

    [Test]
    [Arguments("_CONDOR_JOB_AD", "an HTCondor")]
    [Arguments("_CONDOR_SCRATCH_DIR", "an HTCondor")]
    [Arguments("SLURM_JOB_ID", "a Slurm")]
    [Arguments("PBS_JOBID", "a PBS")]
    [Arguments("LSB_JOBID", "an LSF")]
    public async Task Handing_a_transfer_to_the_server_is_warned_of(string variable, string system)
    {
        using TestShell shell = Shell();
        shell.Variables[variable] = "/1";
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), _ => Created);

        ShellResult result = await shell.RunAsync("-q", "object", "get", "--async", "osdf:///a/b", "b");

        await Assert.That(result.Status).IsEqualTo(0);
        await Assert.That(result.Error).IsEqualTo(
            $"Warning: this is {system} job, and a transfer of the Client API server may be cut off when it ends: without --async it is over when the command is\n");
    }

    [Test]
    public async Task A_file_in_the_scratch_directory_is_named()
    {
        using TestShell shell = Shell();
        shell.Variables["_CONDOR_SCRATCH_DIR"] = shell.Folder + "/scratch/";
        shell.Write("scratch/x", "data");
        shell.Write("other", "data");
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), _ => Created);

        ShellResult put = await shell.RunAsync("object", "put", "--async", "other", "scratch/x", "osdf:///a/");
        ShellResult other = await shell.RunAsync("object", "put", "--async", "other", "osdf:///a/");

        await Assert.That(put.Error).EndsWith($"\nWarning: '{shell.File("scratch/x")}' lies in the job's scratch directory, which may be gone before its turn comes\n");
        await Assert.That(other.Error).DoesNotContain("scratch");
    }

    [Test]
    public async Task A_server_that_is_started_in_a_job_is_warned_of_and_its_database_in_scratch_too()
    {
        using TestShell shell = Shell();
        shell.Variables["SLURM_JOB_ID"] = "17";
        shell.Variables["TMPDIR"] = shell.Folder;
        shell.Variables["HOME"] = shell.File("home");
        shell.With = world => world with { RunSelf = (_, _) => Task.FromResult(new OwnRun(10, "Error: no\n")) };

        ShellResult result = await shell.RunAsync("job", "list", "--start");

        await Assert.That(result.Error).StartsWith("Warning: this is a Slurm job: the Client API server ends with it, in the middle of its transfers\n"
            + $"Warning: the job database '{shell.File("home/.pelican/client-api.db")}' lies in the job's scratch directory, and goes with it\n");
    }

    [Test]
    [Arguments("SLURM_CONF")]
    [Arguments("PBS_SERVER")]
    [Arguments("LSB_DEFAULTQUEUE")]
    [Arguments("TMPDIR")]
    public async Task On_a_login_node_nothing_is_said(string variable)
    {
        using TestShell shell = Shell();
        shell.Variables[variable] = shell.Folder;
        await using ScriptedApi api = await ScriptedApi.StartAsync(shell.File("s"), _ => Created);

        ShellResult result = await shell.RunAsync("object", "get", "--async", "osdf:///a/b", "b");

        await Assert.That(result.Error).IsEqualTo("");
    }

    private static TestShell Shell()
    {
        TestShell shell = new();
        shell.Variables["PELICAN_CLIENT_API_SOCKET"] = "s";
        return shell;
    }
}
