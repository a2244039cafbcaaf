using OrleansSessions.Client;
using OrleansSessions.Protocol;

if (args.Length != 2)
{
    Console.Error.WriteLine("Say the address of the server and the session: ConsoleChat http://localhost:5080 my-session");
    return 2;
}

var options = new SessionClientOptions { OnStateChanged = Tell };
if (Environment.GetEnvironmentVariable("SESSIONS_TOKEN") is { Length: > 0 } token)
{
    options.Token = _ => new(token);
}

Answer? running = null;
Answer? cancelled = null;
try
{
    await using var session = await SessionClient.ConnectAsync(new Uri(args[0]), args[1], options);
    Console.CancelKeyPress += (_, press) =>
    {
        // The first Ctrl+C cancels the answer. The second one, or one without an answer, ends the program, also while the server is away.
        if (running is { } answer && answer != cancelled)
        {
            press.Cancel = true;
            cancelled = answer;
            _ = CancelAsync(session, answer.QuestionId);
        }
    };

    // An answer that this program, or another client, left in the middle.
    foreach (var open in (await session.GetHistoryAsync(1)).Where(question => question.End is null))
    {
        Console.WriteLine($"> {open.Question}");
        await PrintAsync(session.FollowAsync(open.Id));
    }

    while (Prompt() is { } line)
    {
        if (line.Length > 0)
        {
            await PrintAsync(session.AskAsync(line));
        }
    }

    return 0;
}
catch (Exception fault) when (fault is ArgumentException or UriFormatException)
{
    Console.Error.WriteLine(fault.Message);
    return 2;
}
catch (SessionStoppedException stopped)
{
    Console.Error.WriteLine($"[{stopped.Reason}: {stopped.Message}]");
    return 1;
}
catch (Exception fault) when (fault is HttpRequestException or SessionRefusedException)
{
    // The history could not be read.
    Console.Error.WriteLine($"[{fault.Message}]");
    return 1;
}

static string? Prompt()
{
    Console.Write("> ");
    return Console.ReadLine();
}

async Task PrintAsync(Answer answer)
{
    running = answer;
    try
    {
        await foreach (var update in answer)
        {
            switch (update)
            {
                case AnswerText piece: Console.Write(piece.Text); break;
                case AnswerRestarted: Console.Write("\n[from the beginning]\n"); break;
                case AnswerEnded { End.IsCompleted: true }: Console.WriteLine(); break;
                case AnswerEnded { End: var end }: Console.WriteLine($"\n[{end.Status.ToWire()}: {end.Message}]"); break;
            }
        }
    }
    catch (SessionException fault) when (fault is not SessionStoppedException)
    {
        // Refused, lost or unreadable: the session goes on.
        Console.WriteLine($"[{fault.Code}: {fault.Message}]");
    }
    finally
    {
        running = null;
    }
}

static async Task CancelAsync(SessionClient session, string questionId)
{
    try
    {
        await session.CancelAsync(questionId);
    }
    catch (SessionException fault)
    {
        Console.Error.WriteLine($"[{fault.Code}: {fault.Message}]");
    }
}

static void Tell(SessionStateChange change)
{
    if (change.State is SessionState.Connecting or SessionState.Reconnecting && change.Cause is not null)
    {
        Console.Error.WriteLine($"[{change.State}: {change.Cause.Message}]");
    }
}
