using Pelican.Server;

namespace Pelican.Commands;

/// <summary>
/// The batch job that a command runs in. When it ends, the batch system ends every process that descends from it, one that was detached
/// too, and removes its scratch directory.
/// </summary>
/// <param name="Name">Of the batch system, with its article.</param>
/// <param name="Scratch">Directories that go with the job.</param>
internal sealed record BatchJob(string Name, IReadOnlyList<string> Scratch)
{
    /// <summary>What each has in the environment of a job, and not on a login node, where SLURM_CONF, PBS_HOME and the like may be set.</summary>
    private static readonly (string Name, string[] Variables)[] Systems =
    [
        ("an HTCondor", ["_CONDOR_SCRATCH_DIR", "_CONDOR_JOB_AD", "_CONDOR_MACHINE_AD", "_CONDOR_JOB_IWD", "_CONDOR_SLOT", "_CONDOR_JOB_PIDS"]),
        ("a Slurm", ["SLURM_JOB_ID", "SLURM_JOBID", "SLURM_STEP_ID"]),
        ("a PBS", ["PBS_JOBID", "PBS_ENVIRONMENT", "PBS_NODEFILE"]),
        ("an LSF", ["LSB_JOBID", "LSB_BATCH_JID", "LSB_HOSTS"]),
    ];

    private static readonly string[] ScratchVariables = ["_CONDOR_SCRATCH_DIR", "SLURM_TMPDIR", "PBS_JOBDIR", "LSB_JOB_TMPDIR", "TMPDIR"];

    /// <summary>Finds it; null outside of any.</summary>
    public static BatchJob? Of(Surroundings world)
    {
        string? name = Systems.FirstOrDefault(system => system.Variables.Any(variable => !string.IsNullOrEmpty(world.Variable(variable)))).Name;
        return name is null ? null : new BatchJob(name, [.. ScratchVariables.Select(world.Variable).OfType<string>().Where(path => path.StartsWith('/'))]);
    }

    /// <summary>Warns of a server that is about to be started.</summary>
    /// <param name="files">Its files; asked for in a job only.</param>
    /// <param name="session">The run.</param>
    public static void WarnOfServer(Func<InstancePaths> files, Session session)
    {
        if (Of(session.World) is not { } job)
        {
            return;
        }

        session.Messages.Warning($"this is {job.Name} job: the Client API server ends with it, in the middle of its transfers");
        if (files().Database is var database && job.IsScratch(database))
        {
            session.Messages.Warning($"the job database '{database}' lies in the job's scratch directory, and goes with it");
        }
    }

    /// <summary>Warns of a transfer that is about to be handed to the server.</summary>
    /// <param name="files">Absolute paths of its local ends.</param>
    /// <param name="session">The run.</param>
    public static void WarnOfTransfer(IEnumerable<string> files, Session session)
    {
        if (Of(session.World) is not { } job)
        {
            return;
        }

        session.Messages.Warning($"this is {job.Name} job, and a transfer of the Client API server may be cut off when it ends: without --async it is over when the command is");
        if (files.FirstOrDefault(job.IsScratch) is { } file)
        {
            session.Messages.Warning($"'{file}' lies in the job's scratch directory, which may be gone before its turn comes");
        }
    }

    private bool IsScratch(string path) => Scratch.Any(directory => directory.TrimEnd('/') is { Length: > 0 } scratch && path.StartsWith(scratch + "/", StringComparison.Ordinal));
}
