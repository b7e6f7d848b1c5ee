import pytensor as torch
from pytensor import optim
from pytensor.utils.data import TensorDataset, DataLoader

N, D_in, H, D_out = 64, 1000, 100, 10
dataset = DataLoader(TensorDataset(torch.randn(N, D_in), torch.randn(N, D_out)), batch_size=8)
model = torch.nn.Sequential(torch.nn.Linear(D_in, H), torch.nn.ReLU(), torch.nn.Linear(H, D_out))
loss_fn = torch.nn.functional.mse_loss

optimizer = optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
scheduler = optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9)

for epoch in range(20):
    # train
    for input, target in dataset:
        optimizer.zero_grad()
        output = model(input)
        loss = loss_fn(output, target)
        loss.backward()
        optimizer.step()

    scheduler.step()
    print(epoch, loss.item(), optimizer.param_groups[0]["lr"])
