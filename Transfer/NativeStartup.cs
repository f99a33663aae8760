namespace Pelican.Transfer;

/// <summary>
/// What the process has to settle before anything else runs. That a static executable must not load the host's name
/// service modules is settled earlier still, by the linker (<c>build/native/static_glibc.c</c>).
/// </summary>
internal static class NativeStartup
{
    /// <summary>Called once, first thing, while there is one thread: the environment is changed here.</summary>
    public static void Configure()
    {
        CaBundle.Use(null); // before anything makes .NET copy the environment

        // Without HOME, .NET looks for its certificate stores in the home of /etc/passwd, and fails every TLS connection of
        // a user who is not listed there, such as one from LDAP.
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("HOME")))
        {
            Environment.SetEnvironmentVariable("HOME", Account.Find().Home ?? Account.NoHome);
        }
    }
}
